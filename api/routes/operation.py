"""How the program itself is: faults of cameras, and which settings are in force."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.exceptions import HTTPException

from api.auth.access import GuardedRoute
from api.auth.guard import IdentityDep
from api.problems import answers
from api.queries import AlertQuery
from api.schemas import AlertAnswer, Answer
from api.services import Services, ServicesDep, Trail, TrailDep
from pipeline.store.records import AlertRecord

router = APIRouter(prefix="/api/v1", tags=["operation"], route_class=GuardedRoute)
NEWEST = 100


class SiteAlertAnswer(AlertAnswer):
    camera: str = Field(examples=["cau-truong-tien"])


class ConfigurationAnswer(Answer):
    """What a program made of its streams.yaml. A refusal leaves in force what was."""

    id: UUID
    file: str = Field(examples=["/etc/matthan/streams.yaml"])
    host: str = Field(examples=["analysis-1"])
    process: int = Field(examples=[812])
    configuration: str | None = Field(description="Hash of the settings; null for a refusal.", examples=["ab" * 32])
    state: Literal["in_force", "refused"] = Field(examples=["in_force"])
    note: str = Field(
        description="Why it was refused, by file, line and column; or what holds only from the program's next start.",
        examples=["streams.yaml:7:15: cameras[0].rate: found 99; a number of at most 60 is needed"],
    )
    created: datetime = Field(examples=["2026-11-01T00:00:04Z"])
    ended: datetime | None = Field(description="Null while it holds.", examples=[None])


class ConfigurationDetail(Answer):
    """A version of all settings, secrets hidden."""

    hash: str = Field(examples=["ab" * 32])
    text: str = Field(description="The settings as JSON.", examples=['{"site": {"name": "Huế"}}'])
    created: datetime = Field(examples=["2026-11-01T00:00:04Z"])


@router.get("/alerts", responses=answers(401, 403, 422, 503))
def list_site_alerts(query: Annotated[AlertQuery, Query()], services: ServicesDep) -> list[SiteAlertAnswer]:
    """The newest faults of all cameras, newest first."""
    found = services.repository.alerts(lasting=query.lasting, limit=query.limit)
    return [SiteAlertAnswer.model_validate(alert) for alert in found]


@router.put("/alerts/{alert_id}/acknowledgement", responses=answers(401, 403, 404, 422, 503))
def acknowledge_alert(alert_id: UUID, services: ServicesDep, identity: IdentityDep, trail: TrailDep) -> SiteAlertAnswer:
    """Say that you know of the fault, so that others need not look. The first who says it is named."""
    return SiteAlertAnswer.model_validate(acknowledge(services, trail, identity.name, alert_id))


@router.get("/configurations", responses=answers(401, 403, 503))
def list_configurations(services: ServicesDep) -> list[ConfigurationAnswer]:
    """What programs made of their streams.yaml, newest first; those without an end hold now."""
    found = services.repository.configuration_loads(limit=NEWEST)
    return [ConfigurationAnswer.model_validate(load) for load in found]


@router.get("/configurations/{version}", responses=answers(401, 403, 404, 422, 503))
def show_configuration(version: str, services: ServicesDep) -> ConfigurationDetail:
    """The settings of a version, as violations found under it name it."""
    found = services.repository.configuration(version)
    if found is None:
        raise HTTPException(404, f"there is no configuration {version!r}")
    return ConfigurationDetail.model_validate(found)


def acknowledge(services: Services, trail: Trail, actor: str, alert: UUID) -> AlertRecord:
    """Raises HTTPException 404."""
    audit = trail.about("alert.acknowledge", "alert", alert)
    found = services.repository.acknowledge_alert(alert, actor, datetime.now(UTC), audit=audit)
    if found is None:
        raise HTTPException(404, f"there is no alert {alert}")
    return found

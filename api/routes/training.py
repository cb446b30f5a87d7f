"""Training sets: ask for one, see how far it is, fetch it, delete it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from api.auth.access import GuardedRoute
from api.auth.guard import IdentityDep
from api.problems import answers
from api.queries import Names
from api.schemas import Answer
from api.services import Services, ServicesDep, Trail, TrailDep
from api.training_sets import TrainingJob, TrainingSets
from pipeline.periods import whole_days
from pipeline.store import ViolationFilter

router = APIRouter(prefix="/api/v1/training-sets", tags=["training"], route_class=GuardedRoute)
NOT_HERE = "this server keeps no training sets"


class TrainingBody(BaseModel):
    """Which decided cases a set is made of, and how it is parted."""

    model_config = ConfigDict(extra="forbid")

    first: date | None = Field(default=None, description="Cases from this day on.", examples=["2026-10-01"])
    last: date | None = Field(default=None, description="Cases up to this day.", examples=["2026-10-31"])
    camera: Names = Field(default=[])
    split: Literal["camera", "time"] = Field(
        default="camera", description="camera tests on cameras never seen, time on later days."
    )
    plates: bool = Field(default=False, description="Add pictures of accepted plates in clear: personal data.")


class TrainingSetAnswer(Answer):
    """A training set; `done` of `total` pictures are made."""

    id: UUID
    state: Literal["running", "finished", "failed"]
    actor: str = Field(examples=["admin"])
    started: datetime = Field(examples=["2026-11-01T05:00:00Z"])
    asked: Mapping[str, Any] = Field(examples=[{"split": "camera", "plates": False}])
    done: int = Field(examples=[120])
    total: int = Field(examples=[120])
    plates: int = Field(description="Pictures of plates in clear.", examples=[0])
    splits: Mapping[str, int] = Field(examples=[{"train": 84, "val": 18, "test": 18}])
    left_out: Mapping[str, int] = Field(description="Cases that teach nothing, by why.", examples=[{}])
    size: int = Field(description="Of the file, in bytes.", examples=[48211009])
    note: str = Field(description="Why it failed.", examples=[""])


@router.get("", responses=answers(401, 403, 404, 503))
def list_training_sets(services: ServicesDep) -> list[TrainingSetAnswer]:
    """The sets that are kept, newest first."""
    return [TrainingSetAnswer.model_validate(job) for job in kept_sets(services).all()]


@router.post("", status_code=202, responses=answers(401, 403, 404, 409, 422, 429, 503))
def start_training_set(
    body: TrainingBody, services: ServicesDep, identity: IdentityDep, trail: TrailDep
) -> TrainingSetAnswer:
    """Begin a set of accepted and rejected cases: pictures with boxes for YOLO and COCO, plates and heads blurred."""
    return TrainingSetAnswer.model_validate(start(services, identity.name, trail, body))


@router.get("/{set_id}", responses=answers(401, 403, 404, 422, 503))
def show_training_set(set_id: UUID, services: ServicesDep) -> TrainingSetAnswer:
    return TrainingSetAnswer.model_validate(_find(services, set_id))


@router.get(
    "/{set_id}/file",
    response_class=FileResponse,
    responses={
        200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}},
        **answers(401, 403, 404, 409, 422, 429, 503),
    },
)
def training_set_file(set_id: UUID, services: ServicesDep, trail: TrailDep) -> Response:
    """The set as a ZIP file."""
    job = _find(services, set_id)
    path = kept_sets(services).file(set_id)
    if job.state != "finished" or not path.is_file():
        raise HTTPException(409, "this training set is not finished")
    trail.record("training.download", "training", set_id, {"rows": job.done, "plates": job.plates})
    return FileResponse(path, media_type="application/zip", filename=f"training-{set_id}.zip")


@router.delete("/{set_id}", status_code=204, responses=answers(401, 403, 404, 409, 422, 503))
def delete_training_set(set_id: UUID, services: ServicesDep, trail: TrailDep) -> None:
    delete(services, trail, set_id)


def start(services: Services, actor: str, trail: Trail, body: TrainingBody) -> TrainingJob:
    """Raises ConflictError while another set is made, and QueryError for days that are turned around."""
    from pipeline.training.export import TrainingRequest  # noqa: PLC0415 - loads the models' libraries
    from pipeline.training.splits import SplitBy  # noqa: PLC0415

    settings = services.settings
    since, until = whole_days(body.first, body.last, settings.timezone)
    wanted = ViolationFilter(cameras=tuple(body.camera), since=since, until=until)
    asked = body.model_dump(mode="json", exclude_none=True)
    request = TrainingRequest(wanted, SplitBy(body.split), body.plates)
    return kept_sets(services).start(
        services.repository,
        request,
        settings.timezone,
        settings.retention,
        actor=actor,
        asked=asked,
        finished=lambda job: trail.record("training.export", "training", job.id, {"rows": job.done, **asked}),
    )


def delete(services: Services, trail: Trail, set_id: UUID) -> None:
    """Raises HTTPException 404, and ConflictError while it is made."""
    if not kept_sets(services).delete(set_id):
        raise HTTPException(404, f"there is no training set {set_id}")
    trail.record("training.delete", "training", set_id)


def kept_sets(services: Services) -> TrainingSets:
    """Raises HTTPException 404 where the server keeps none."""
    if services.training is None:
        raise HTTPException(404, NOT_HERE)
    return services.training


def _find(services: Services, set_id: UUID) -> TrainingJob:
    job = kept_sets(services).find(set_id)
    if job is None:
        raise HTTPException(404, f"there is no training set {set_id}")
    return job

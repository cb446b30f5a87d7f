"""Keys for machines: one's own, and for administrators all."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from api.account_schemas import KeyAnswer, NewKeyAnswer
from api.auth.access import GuardedRoute
from api.auth.guard import SessionDep
from api.auth.keys import KEY_NAME, KeyScope, NewKey
from api.auth.lockout import Caller
from api.problems import answers
from api.routes.second_factor import OwnPassword
from api.routes.users import GroupName
from api.services import CallerDep, Services, ServicesDep, Trail, TrailDep
from pipeline.store import Role
from pipeline.store.account_records import ApiKeyRecord, SessionRecord, UserRecord

router = APIRouter(prefix="/api/v1/keys", tags=["keys"], route_class=GuardedRoute)
MOST_DAYS = 1100


class NewKeyBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(pattern=f"^{KEY_NAME.pattern}$", examples=["dashboard-of-the-mayor"])]
    scopes: Annotated[list[KeyScope], Field(min_length=1, max_length=len(KeyScope), examples=[["violations"]])]
    groups: Annotated[
        list[GroupName], Field(max_length=100, description="Groups whose cameras it sees; the owner's when empty.")
    ] = []
    days: int = Field(default=365, ge=1, le=MOST_DAYS, description="How long it lasts.")
    password: OwnPassword = Field(default="", examples=["correct horse battery"])


@router.get("", responses=answers(401, 403, 503))
def list_keys(session: SessionDep, services: ServicesDep, trail: TrailDep) -> list[KeyAnswer]:
    """One's own keys, also those that ended; for an administrator everybody's. The newest first."""
    keys = keys_of(services, session.user)
    trail.record("key.list", "key", "", {"hits": len(keys)})
    return [KeyAnswer.of(key) for key in keys]


@router.post("", status_code=201, responses=answers(401, 403, 409, 422, 429, 503))
def create_key(
    new: NewKeyBody, session: SessionDep, services: ServicesDep, trail: TrailDep, caller: CallerDep
) -> NewKeyAnswer:
    """Make a key that reads what its scopes say, and never more than its owner may."""
    return NewKeyAnswer.of(make_key(services, session, trail, caller, new))


@router.delete("/{key_id}", status_code=204, responses=answers(401, 403, 404, 422, 503))
def revoke_key(key_id: UUID, session: SessionDep, services: ServicesDep, trail: TrailDep) -> None:
    """End a key for good."""
    end_key(services, session.user, trail, key_id)


def keys_of(services: Services, user: UserRecord) -> tuple[ApiKeyRecord, ...]:
    return services.repository.api_keys(None if user.role is Role.ADMIN else user.id)


def make_key(services: Services, session: SessionRecord, trail: Trail, caller: Caller, new: NewKeyBody) -> NewKey:
    """Raises Refusal, TooOftenError, and ConflictError when the name is taken."""
    services.sessions.confirm(session, new.password, caller)
    detail = new.model_dump(mode="json", include={"scopes", "groups", "days"})
    audit = trail.about("key.create", "key", new.name, detail)
    lasts = timedelta(days=new.days)
    return services.keys.create(session.user, new.name, new.scopes, new.groups, lasts, audit)


def end_key(services: Services, user: UserRecord, trail: Trail, key_id: UUID) -> None:
    """Raises HTTPException 404 when there is no such key in force, or it is another's."""
    key = next((each for each in keys_of(services, user) if each.id == key_id and each.revoked is None), None)
    if key is None:
        raise HTTPException(404, f"there is no key {key_id}")
    services.repository.revoke_api_key(key.id, audit=trail.about("key.revoke", "key", key.name))

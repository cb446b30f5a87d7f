"""Accounts and the audit trail, for administrators."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from api.auth.access import GuardedRoute
from api.auth.passwords import one_time_password
from api.auth.sessions import USER_NAME
from api.problems import answers
from api.queries import AuditQuery
from api.schemas import AuditAnswer, Listing, OneTimePassword, UserAnswer
from api.services import Services, ServicesDep, TrailDep
from pipeline.store import Role
from pipeline.store.account_records import UserRecord

router = APIRouter(prefix="/api/v1", tags=["administration"], route_class=GuardedRoute)


class NewUser(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(pattern=f"^{USER_NAME.pattern}$", examples=["lan"])]
    role: Role = Field(examples=["reviewer"])


class UserChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    role: Role | None = Field(default=None, examples=["operator"])
    disabled: bool | None = Field(default=None, examples=[False])


@router.get("/users", responses=answers(401, 403, 503))
def list_users(services: ServicesDep) -> list[UserAnswer]:
    return [UserAnswer.model_validate(user) for user in services.repository.users()]


@router.post("/users", status_code=201, responses=answers(401, 403, 409, 422, 503))
def create_user(new: NewUser, services: ServicesDep, trail: TrailDep) -> OneTimePassword:
    """Make an account; the answer holds its one-time password, which is shown only now."""
    password = one_time_password()
    password_hash = services.passwords.hash(password)
    audit = trail.entry("user.create", new.name, {"role": new.role})
    user = services.repository.create_user(new.name, password_hash, new.role, must_change_password=True, audit=audit)
    return OneTimePassword(user=UserAnswer.model_validate(user), one_time_password=password)


@router.patch("/users/{user_id}", responses=answers(401, 403, 404, 409, 422, 503))
def change_user(user_id: UUID, change: UserChange, services: ServicesDep, trail: TrailDep) -> UserAnswer:
    """Change the role, disable or enable; the user is signed out everywhere."""
    audit = trail.entry("user.change", _find(services, user_id).name, change.model_dump(exclude_none=True))
    user = services.repository.change_user(user_id, role=change.role, disabled=change.disabled, audit=audit)
    if user is None:
        raise HTTPException(404, f"there is no user {user_id}")
    return UserAnswer.model_validate(user)


@router.post("/users/{user_id}/password", responses=answers(401, 403, 404, 422, 503))
def reset_password(user_id: UUID, services: ServicesDep, trail: TrailDep) -> OneTimePassword:
    """Replace a user's password by a one-time one, lift a lock, and sign the user out everywhere."""
    user = _find(services, user_id)
    password = one_time_password()
    audit = trail.entry("user.password.reset", user.name)
    services.repository.set_password(user.id, services.passwords.hash(password), must_change=True, audit=audit)
    return OneTimePassword(user=UserAnswer.model_validate(_find(services, user_id)), one_time_password=password)


@router.get("/audit", responses=answers(401, 403, 422, 503))
def list_audit(query: Annotated[AuditQuery, Query()], services: ServicesDep, trail: TrailDep) -> Listing[AuditAnswer]:
    """A page of the audit trail, newest first. Looking at it is on the trail, too."""
    trail.record("audit.view", "audit")
    page = services.repository.audit(cursor=query.cursor, limit=query.limit)
    return Listing[AuditAnswer].of(page, [AuditAnswer.model_validate(row) for row in page.items])


def _find(services: Services, user_id: UUID) -> UserRecord:
    user = services.repository.user(user_id)
    if user is None:
        raise HTTPException(404, f"there is no user {user_id}")
    return user

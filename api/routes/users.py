"""Accounts, for administrators."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from api.account_schemas import OneTimePassword, UserAnswer
from api.auth.access import GuardedRoute
from api.auth.accounts import earlier_passwords
from api.auth.passwords import one_time_password
from api.auth.sessions import USER_NAME
from api.problems import answers
from api.services import Services, ServicesDep, Trail, TrailDep
from pipeline.config.section import NAME_PATTERN
from pipeline.store import Role
from pipeline.store.account_records import UserRecord

router = APIRouter(prefix="/api/v1/users", tags=["administration"], route_class=GuardedRoute)
GroupName = Annotated[str, Field(pattern=NAME_PATTERN)]
GroupNames = Annotated[
    list[GroupName],
    Field(max_length=100, description="Groups of cameras that the user is confined to; none for all cameras."),
]


class NewUser(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(pattern=f"^{USER_NAME.pattern}$", examples=["lan"])]
    role: Role = Field(examples=["reviewer"])
    groups: GroupNames = []
    sign_in: Literal["password", "provider"] = Field(
        default="password", description="With a password of this program, or at the city's provider of identities."
    )


class UserChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    role: Role | None = Field(default=None, examples=["operator"])
    groups: GroupNames | None = None
    disabled: bool | None = Field(default=None, examples=[False])


@router.get("", responses=answers(401, 403, 503))
def list_users(services: ServicesDep, trail: TrailDep) -> list[UserAnswer]:
    return [UserAnswer.model_validate(user) for user in see_users(services, trail)]


@router.post("", status_code=201, responses=answers(401, 403, 409, 422, 503))
def create_user(new: NewUser, services: ServicesDep, trail: TrailDep) -> OneTimePassword:
    """Make an account; the answer holds its one-time password."""
    user, password = make_user(services, trail, new)
    return OneTimePassword(user=UserAnswer.model_validate(user), one_time_password=password)


@router.get("/{user_id}", responses=answers(401, 403, 404, 422, 503))
def show_user(user_id: UUID, services: ServicesDep, trail: TrailDep) -> UserAnswer:
    return UserAnswer.model_validate(see_user(services, trail, user_id))


@router.patch("/{user_id}", responses=answers(401, 403, 404, 409, 422, 503))
def change_user(user_id: UUID, change: UserChange, services: ServicesDep, trail: TrailDep) -> UserAnswer:
    """Change the role or the groups, disable or enable; the user is signed out everywhere."""
    return UserAnswer.model_validate(apply_change(services, trail, user_id, change))


@router.post("/{user_id}/password", responses=answers(401, 403, 404, 409, 422, 503))
def reset_password(user_id: UUID, services: ServicesDep, trail: TrailDep) -> OneTimePassword:
    """Replace a user's password by a one-time one, lift a lock, and sign the user out everywhere."""
    password = replace_password(services, trail, user_id)
    return OneTimePassword(user=UserAnswer.model_validate(find_user(services, user_id)), one_time_password=password)


@router.delete("/{user_id}/second-factor", status_code=204, responses=answers(401, 403, 404, 422, 503))
def reset_second_factor(user_id: UUID, services: ServicesDep, trail: TrailDep) -> None:
    """Take the second factor from a user who has lost it, and sign the user out everywhere."""
    remove_second_factor(services, trail, user_id)


@router.delete("/{user_id}/sessions", status_code=204, responses=answers(401, 403, 404, 422, 503))
def end_sessions(user_id: UUID, services: ServicesDep, trail: TrailDep) -> None:
    """Sign a user out everywhere."""
    sign_out_everywhere(services, trail, user_id)


def make_user(services: Services, trail: Trail, new: NewUser) -> tuple[UserRecord, str | None]:
    """The account, and its one-time password where it signs in with one.

    Raises ConflictError when the name is taken, HTTPException 422 where there is no provider to sign in at.
    """
    oidc = services.settings.access.oidc
    detail = {"role": new.role, "groups": new.groups, "sign_in": new.sign_in}
    audit = trail.entry("user.create", new.name, detail)
    if new.sign_in == "provider":
        if oidc is None:
            raise HTTPException(422, "there is no provider to sign in at: streams.yaml has no access: oidc")
        made = services.repository.create_user(
            new.name, "", new.role, must_change_password=False, groups=new.groups, issuer=oidc.issuer, audit=audit
        )
        return made, None
    password = one_time_password()
    hashed = services.passwords.hash(password)
    made = services.repository.create_user(
        new.name, hashed, new.role, must_change_password=True, groups=new.groups, audit=audit
    )
    return made, password


def apply_change(services: Services, trail: Trail, user_id: UUID, change: UserChange) -> UserRecord:
    """Raises HTTPException 404, and ConflictError as the store does."""
    audit = trail.entry("user.change", find_user(services, user_id).name, change.model_dump(exclude_none=True))
    changed = services.repository.change_user(
        user_id, role=change.role, groups=change.groups, disabled=change.disabled, audit=audit
    )
    if changed is None:
        raise HTTPException(404, f"there is no user {user_id}")
    return changed


def replace_password(services: Services, trail: Trail, user_id: UUID) -> str:
    """Raises HTTPException 404, and 409 for a user who signs in elsewhere."""
    user = find_user(services, user_id)
    if user.issuer:
        raise HTTPException(409, f"{user.name} signs in at {user.issuer}, and has no password here")
    password, audit = one_time_password(), trail.entry("user.password.reset", user.name)
    services.repository.set_password(
        user.id, services.passwords.hash(password), must_change=True, history=earlier_passwords(user), audit=audit
    )
    return password


def remove_second_factor(services: Services, trail: Trail, user_id: UUID) -> None:
    """Raises HTTPException 404."""
    user = find_user(services, user_id)
    audit = trail.entry("user.second_factor.reset", user.name)
    services.repository.set_second_factor(user.id, "", None, (), audit=audit)


def sign_out_everywhere(services: Services, trail: Trail, user_id: UUID) -> None:
    """Raises HTTPException 404."""
    user = find_user(services, user_id)
    services.repository.delete_sessions_of(user.id, audit=trail.entry("user.sign_out", user.name))


def see_users(services: Services, trail: Trail) -> tuple[UserRecord, ...]:
    """All accounts, for somebody to look at."""
    users = services.repository.users()
    trail.record("user.list", "user", "", {"hits": len(users)})
    return users


def see_user(services: Services, trail: Trail, user_id: UUID) -> UserRecord:
    """One account, for somebody to look at. Raises HTTPException 404."""
    user = find_user(services, user_id)
    trail.record("user.view", "user", user.name)
    return user


def find_user(services: Services, user_id: UUID) -> UserRecord:
    """Raises HTTPException 404."""
    user = services.repository.user(user_id)
    if user is None:
        raise HTTPException(404, f"there is no user {user_id}")
    return user

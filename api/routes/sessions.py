"""Signing in and out for programs, and one's own password."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.auth.access import GuardedRoute
from api.auth.guard import IdentityDep
from api.problems import answers
from api.schemas import Token, UserAnswer
from api.services import AddressDep, ServicesDep

router = APIRouter(prefix="/api/v1/session", tags=["session"], route_class=GuardedRoute)
Secret = Annotated[str, Field(min_length=1, max_length=256)]


class Credentials(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=64, examples=["admin"])]
    password: Secret = Field(examples=["correct horse battery"])


class PasswordChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    old: Secret = Field(examples=["vZ3x0cQeW1mLq8Tn"])
    new: Secret = Field(examples=["correct horse battery"])


@router.post("", status_code=201, responses=answers(401, 422, 429, 503))
def sign_in(credentials: Credentials, services: ServicesDep, address: AddressDep) -> Token:
    """Exchange name and password for a token that expires."""
    opened = services.sessions.sign_in(credentials.name, credentials.password, address, "bearer")
    return Token(token=opened.token, expires=opened.expires, user=UserAnswer.model_validate(opened.user))


@router.get("", responses=answers(401, 503))
def who_am_i(identity: IdentityDep) -> UserAnswer:
    """The user this token belongs to."""
    return UserAnswer.model_validate(identity.session.user)


@router.delete("", status_code=204, responses=answers(401, 503))
def sign_out(identity: IdentityDep, services: ServicesDep, address: AddressDep) -> None:
    """End this token at once."""
    services.sessions.sign_out(identity.token, identity.name, address)


@router.put("/password", responses=answers(401, 422, 429, 503))
def change_password(change: PasswordChange, identity: IdentityDep, services: ServicesDep, address: AddressDep) -> Token:
    """Replace one's own password. Every session of this user ends; the answer holds a new token."""
    opened = services.sessions.change_password(identity.session, change.old, change.new, address)
    return Token(token=opened.token, expires=opened.expires, user=UserAnswer.model_validate(opened.user))

"""Signing in and out for programs, one's own password, and where one is signed in."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from api.account_schemas import SessionAnswer, Token, UserAnswer
from api.auth.access import GuardedRoute
from api.auth.guard import SessionDep
from api.auth.sessions import SignedIn
from api.problems import answers
from api.services import CallerDep, ServicesDep

router = APIRouter(prefix="/api/v1", tags=["session"], route_class=GuardedRoute)
Secret = Annotated[str, Field(min_length=1, max_length=256)]


class Credentials(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=64, examples=["admin"])]
    password: Secret = Field(examples=["correct horse battery"])
    code: Annotated[str, Field(max_length=64)] = Field(
        default="", description="Of the authenticator app, or a recovery code, where the account has a second factor."
    )


class PasswordChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    old: Secret = Field(examples=["vZ3x0cQeW1mLq8Tn"])
    new: Secret = Field(examples=["correct horse battery"])


@router.post("/session", status_code=201, responses=answers(401, 422, 429, 503))
def sign_in(credentials: Credentials, services: ServicesDep, caller: CallerDep) -> Token:
    """Exchange name and password, and a code where there is a second factor, for a token that expires."""
    given = credentials
    return token_of(services.sessions.sign_in(given.name, given.password, caller, "bearer", given.code))


@router.get("/session", responses=answers(401, 503))
def who_am_i(session: SessionDep) -> UserAnswer:
    """The user this token belongs to."""
    return UserAnswer.model_validate(session.user)


@router.delete("/session", status_code=204, responses=answers(401, 503))
def sign_out(session: SessionDep, services: ServicesDep, caller: CallerDep) -> None:
    """End this token at once."""
    services.sessions.sign_out(session, caller)


@router.put("/session/password", responses=answers(401, 422, 429, 503))
def change_password(change: PasswordChange, session: SessionDep, services: ServicesDep, caller: CallerDep) -> Token:
    """Replace one's own password. Every session of this user ends; the answer holds a new token."""
    return token_of(services.sessions.change_password(session, change.old, change.new, caller))


@router.get("/sessions", responses=answers(401, 403, 503))
def list_sessions(session: SessionDep, services: ServicesDep) -> list[SessionAnswer]:
    """Where one is signed in, the last used first."""
    return [SessionAnswer.of(each, session) for each in services.sessions.of(session.user.id)]


@router.delete("/sessions/{session_id}", status_code=204, responses=answers(401, 403, 404, 422, 503))
def end_session(session_id: UUID, session: SessionDep, services: ServicesDep, caller: CallerDep) -> None:
    """End another session of one's own."""
    if not services.sessions.revoke(session.user, session_id, caller):
        raise HTTPException(404, f"you have no session {session_id}")


def token_of(opened: SignedIn) -> Token:
    return Token(token=opened.token, expires=opened.expires, user=UserAnswer.model_validate(opened.user))

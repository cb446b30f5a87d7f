"""One's own second factor."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.account_schemas import Enrolled, EnrolmentAnswer, SecondFactorAnswer, Token
from api.auth.access import GuardedRoute
from api.auth.guard import SessionDep
from api.auth.lockout import Caller
from api.auth.refusals import Refusal
from api.auth.sessions import SignedIn
from api.problems import answers
from api.routes.sessions import token_of
from api.services import CallerDep, Services, ServicesDep
from pipeline.store.account_records import AuditEntry, SessionRecord

router = APIRouter(prefix="/api/v1/session/second-factor", tags=["session"], route_class=GuardedRoute)
SET_ALREADY = "you have a second factor; take it away before you set up another"
OwnPassword = Annotated[
    str, Field(max_length=256, description="Once more: who finds a session open must not change this.")
]


class Proof(BaseModel):
    """What `POST` answered, and a code of the secret in it, which shows that the app has it."""

    model_config = ConfigDict(extra="forbid")

    enrolment: Annotated[str, Field(max_length=1024, examples=["gAAAAABn…"])]
    code: Annotated[str, Field(max_length=64, examples=["492039"])]
    password: OwnPassword = Field(default="", examples=["correct horse battery"])


class Removal(BaseModel):
    model_config = ConfigDict(extra="forbid")

    password: OwnPassword = Field(default="", examples=["correct horse battery"])


@router.get("", responses=answers(401, 403, 503))
def show_second_factor(session: SessionDep, services: ServicesDep) -> SecondFactorAnswer:
    """Whether one has a second factor, and whether the role needs it."""
    user = session.user
    required = user.role in services.settings.access.second_factor
    left = len(user.recovery_codes)
    return SecondFactorAnswer(enrolled=user.second_factor, required=required, recovery_codes=left)


@router.post("", responses=answers(401, 403, 422, 503))
def begin(session: SessionDep, services: ServicesDep) -> EnrolmentAnswer:
    """Make a secret for the authenticator app. It is in force only once `PUT` has proved that the app has it, within
    15 minutes."""
    refuse_second(session)
    return EnrolmentAnswer.of(services.second_factors.begin(session.user))


@router.put("", responses=answers(401, 403, 422, 429, 503))
def finish(proof: Proof, session: SessionDep, services: ServicesDep, caller: CallerDep) -> Enrolled:
    """Put the secret in force. Every session ends; the answer holds a new token, and the recovery codes."""
    codes, opened = set_up(services, session, caller, proof)
    return Enrolled(recovery_codes=list(codes), token=token_of(opened))


@router.post("/removal", responses=answers(401, 403, 422, 429, 503))
def remove(removal: Removal, session: SessionDep, services: ServicesDep, caller: CallerDep) -> Token:
    """Take one's second factor away. Every session ends; the answer holds a new token."""
    return token_of(take_away(services, session, caller, removal.password))


def refuse_second(session: SessionRecord) -> None:
    """Raises Refusal 422 for a user who has a second factor."""
    if session.user.second_factor:
        raise Refusal(422, SET_ALREADY)


def set_up(
    services: Services, session: SessionRecord, caller: Caller, proof: Proof
) -> tuple[tuple[str, ...], SignedIn]:
    """The recovery codes, and a session in place of all that there were. Raises Refusal, and TooOftenError."""
    user = session.user
    refuse_second(session)
    services.sessions.confirm(session, proof.password, caller)
    audit = AuditEntry(user.name, "second_factor.set", "user", user.name, address=caller.address)
    codes = services.second_factors.finish(user, proof.enrolment, proof.code, audit)
    return codes, services.sessions.renew(session, caller)


def take_away(services: Services, session: SessionRecord, caller: Caller, password: str) -> SignedIn:
    """A session in place of all that there were. Raises Refusal, and TooOftenError."""
    user = session.user
    services.sessions.confirm(session, password, caller)
    audit = AuditEntry(user.name, "second_factor.removed", "user", user.name, address=caller.address)
    services.repository.set_second_factor(user.id, "", None, (), audit=audit)
    return services.sessions.renew(session, caller)

"""Cases handed over: the signed case file, redacted copies, the keys to verify by, and heads of the chain."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from api.auth.access import GuardedRoute
from api.auth.guard import IdentityDep
from api.cases import find_case, find_copy, hand_over, request_copy, signer_of
from api.copies import Copy, State
from api.problems import answers
from api.queries import Reason
from api.schemas import VIOLATION, Answer
from api.services import ServicesDep, TrailDep
from pipeline.checkpoints import checkpoint

router = APIRouter(prefix="/api/v1", tags=["cases"], route_class=GuardedRoute)

ZIP: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The case file.",
        "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
    }
}
SHA256 = "9f2c…"


class CopyBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Reason


class CopyAnswer(Answer):
    """A redacted copy of a case's evidence."""

    violation: UUID = Field(examples=[VIOLATION])
    original: str = Field(description="SHA-256 of the manifest of what it is a copy of.", examples=[SHA256])
    state: State = Field(examples=["working"])
    share: float = Field(description="The share of it that is done.", examples=[0.4])
    error: str = Field(description="Why it failed.", examples=[""])
    until: datetime | None = Field(description="When it is removed.", examples=["2026-11-02T05:00:00Z"])


class KeyAnswer(Answer):
    """A public key. `id` is the SHA-256 of the key in DER."""

    id: str = Field(examples=["d62c3799973642572798fb944c8f2b4c5086d471928cfd23ec2a0f043ef83f79"])
    pem: str = Field(examples=["-----BEGIN PUBLIC KEY-----\n…\n-----END PUBLIC KEY-----\n"])
    signs: bool = Field(description="Whether it signs now; others signed before.", examples=[True])


class CheckpointAnswer(Answer):
    """The end of the chain, signed over the canonical JSON of all other fields: sorted keys, no spaces."""

    format: str = Field(examples=["matthan-checkpoint/1"])
    number: int = Field(description="The number of the last entry.", examples=[4711])
    hash: str = Field(examples=[SHA256])
    sealed_from: int = Field(
        description="From this entry on every one lies under a seal; 0 when none does.", examples=[1]
    )
    time: str = Field(examples=["2026-11-01T05:00:00+00:00"])
    key: str = Field(examples=["d62c…"])
    signature: str = Field(examples=["e43e…"])


@router.get(
    "/violations/{violation_id}/package",
    response_class=StreamingResponse,
    responses={**ZIP, **answers(401, 403, 404, 409, 422, 429, 503)},
)
def case_file(
    violation_id: UUID,
    services: ServicesDep,
    identity: IdentityDep,
    trail: TrailDep,
    *,
    reason: Annotated[Reason, Query()],
) -> StreamingResponse:
    """The whole case in one signed ZIP file: evidence, review history, camera, clock and settings, with the means to
    verify it offline. The same state of a case gives the same bytes."""
    return hand_over(services, trail, find_case(services, identity, violation_id), reason=reason)


@router.post("/violations/{violation_id}/copy", status_code=202, responses=answers(401, 403, 404, 409, 422, 429, 503))
def make_copy(
    violation_id: UUID, body: CopyBody, services: ServicesDep, identity: IdentityDep, trail: TrailDep
) -> CopyAnswer:
    """Have a copy made in which uninvolved faces, vehicles and plates are blurred. It takes some minutes; ask for its
    state until it is done."""
    case = find_case(services, identity, violation_id)
    return CopyAnswer.model_validate(request_copy(services, trail, case, body.reason))


@router.get("/violations/{violation_id}/copy", responses=answers(401, 403, 404, 409, 422, 503))
def show_copy(violation_id: UUID, services: ServicesDep, identity: IdentityDep) -> CopyAnswer:
    """How far the redacted copy is."""
    found = find_copy(services, find_case(services, identity, violation_id))
    return CopyAnswer.model_validate(_there(found))


@router.get(
    "/violations/{violation_id}/copy/package",
    response_class=StreamingResponse,
    responses={**ZIP, **answers(401, 403, 404, 409, 422, 429, 503)},
)
def redacted_case_file(
    violation_id: UUID,
    services: ServicesDep,
    identity: IdentityDep,
    trail: TrailDep,
    *,
    reason: Annotated[Reason, Query()],
) -> StreamingResponse:
    """The case file with the redacted copy in place of the evidence; its manifest names the original."""
    case = find_case(services, identity, violation_id)
    copy = _there(find_copy(services, case))
    if copy.state != "done":
        raise HTTPException(409, "the copy is not made yet")
    return hand_over(services, trail, case, reason=reason, copy=copy)


@router.get("/signing-keys", responses=answers(409, 503))
def signing_keys(services: ServicesDep) -> list[KeyAnswer]:
    """The public keys by which evidence and cases are verified, the one that signs now first. Nothing in them is
    secret: they are for everyone."""
    signer = signer_of(services)
    keys = sorted(signer.trusted, key=lambda key: key.id != signer.public.id)
    return [KeyAnswer(id=key.id, pem=key.pem.decode(), signs=key.id == signer.public.id) for key in keys]


@router.get("/checkpoint", responses=answers(401, 403, 409, 503))
def show_checkpoint(services: ServicesDep, trail: TrailDep) -> CheckpointAnswer:
    """Where the chain over events, reviews and audit stands now, signed: to be kept where nobody who keeps the
    database reaches it."""
    signer = signer_of(services)
    trail.record("chain.checkpoint", "chain")
    return CheckpointAnswer(**checkpoint(services.repository, signer))


def _there(copy: Copy | None) -> Copy:
    if copy is None:
        raise HTTPException(404, "there is no redacted copy of this case; ask for one, or again if it was removed")
    return copy

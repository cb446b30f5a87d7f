"""Evidence files, whole or by byte range, and the verification of a package."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query
from fastapi.responses import FileResponse, Response
from starlette.exceptions import HTTPException

from api.auth.access import GuardedRoute
from api.auth.guard import IdentityDep
from api.files import confined
from api.problems import answers
from api.reviews import TELLING, is_blind
from api.schemas import FaultAnswer, Verification
from api.services import Services, ServicesDep, TrailDep
from pipeline.errors import EvidenceError
from pipeline.evidence.verify import verify_package
from pipeline.store.records import EvidenceRecord

router = APIRouter(prefix="/api/v1/violations/{violation_id}", tags=["evidence"], route_class=GuardedRoute)


@router.get(
    "/evidence/{name}",
    response_class=FileResponse,
    responses={
        200: {"description": "The file.", "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}},
        206: {"description": "The bytes asked for.", "content": {"*/*": {}}},
        304: {"description": "The file is still what `If-None-Match` names."},
        **answers(400, 401, 403, 404, 409, 416, 422, 503),
    },
)
def evidence_file(
    violation_id: UUID,
    name: str,
    services: ServicesDep,
    identity: IdentityDep,
    trail: TrailDep,
    *,
    download: Annotated[bool, Query(description="Offer to save it and not show it.")] = False,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """One file of a violation's evidence. The ETag is its SHA-256, which is checked before it is sent."""
    evidence = _evidence(services, violation_id)
    file = next((each for each in evidence.files if each.name == name), None)
    if file is None:
        raise HTTPException(404, f"violation {violation_id} has no evidence file of that name")
    if file.role in TELLING and is_blind(services, identity, violation_id):
        raise HTTPException(403, f"{name} names the plate, which you have yet to read; give your own reading first")
    inside = confined(services.settings.evidence_root, evidence.folder, name)
    path = services.evidence.file(evidence.folder, file) if inside else None
    if path is None:
        raise HTTPException(404, f"{name} is recorded, but neither in the evidence folder nor archived")
    if path.stat().st_size != file.size:
        raise HTTPException(409, f"{name} is not as it was recorded: its size differs")
    if _sha256(path) != file.sha256:
        raise HTTPException(409, f"{name} is not as it was recorded: its content differs")
    trail.record("evidence.view", "violation", violation_id, {"file": name, "sha256": file.sha256})
    headers = {"ETag": f'"{file.sha256}"', "Cache-Control": "private, no-cache"}
    if if_none_match is not None and headers["ETag"] in if_none_match:
        return Response(status_code=304, headers=headers)
    return FileResponse(
        path,
        media_type=file.media_type,
        headers=headers,
        filename=f"{violation_id}-{name}" if download else name,
        content_disposition_type="attachment" if download else "inline",
    )


@router.get("/verification", responses=answers(401, 403, 404, 409, 422, 503))
def verify(violation_id: UUID, services: ServicesDep, trail: TrailDep) -> Verification:
    """Check every file of the package against its manifest, and the manifest against the database."""
    evidence = _evidence(services, violation_id)
    trail.record("evidence.verify", "violation", violation_id)
    return verification(services, evidence)


def verification(services: Services, evidence: EvidenceRecord) -> Verification:
    """Raises EvidenceError when the package cannot be read."""
    inside = confined(services.settings.evidence_root, evidence.folder)
    folder = services.evidence.package(evidence.folder, evidence.files) if inside else None
    if folder is None:
        return Verification(intact=False, faults=[FaultAnswer(file="", reason="the package is missing")])
    recorded = next((file.sha256 for file in evidence.files if file.role == "manifest"), None)
    if recorded is None:
        # A manifest that nothing vouches for can be rewritten together with the files.
        reason = "the database records no manifest of this package"
        return Verification(intact=False, faults=[FaultAnswer(file="manifest.json", reason=reason)])
    trusted = services.signer.trusted if services.signer else None
    faults = [FaultAnswer(file=fault.file, reason=fault.reason) for fault in verify_package(folder, recorded, trusted)]
    return Verification(intact=not faults, faults=faults)


def _sha256(path: Path) -> str:
    """Computed once for a file that stays as it is, so that a clip asked for in parts is read once."""
    state = path.stat()
    return _sha256_of(path, state.st_mtime_ns, state.st_ctime_ns, state.st_size)


@lru_cache(maxsize=4096)
def _sha256_of(path: Path, *_state: int) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EvidenceError(f"{path}: cannot be read: {error.strerror}") from None


def _evidence(services: Services, violation_id: UUID) -> EvidenceRecord:
    evidence = services.repository.evidence(violation_id)
    if evidence is None:
        raise HTTPException(404, f"there is no evidence of violation {violation_id}")
    return evidence

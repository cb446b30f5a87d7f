"""Case files as they are given out: what the API and the desk share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from uuid import UUID

from fastapi.responses import StreamingResponse
from starlette.exceptions import HTTPException

from api.auth.guard import Identity
from api.copies import Copies, Copy, TooManyCopiesError
from api.files import confined
from api.reviews import is_blind
from api.services import Services, Trail
from pipeline.casefile import CaseState, assemble, read_case
from pipeline.signing import Signer

SHA256 = re.compile("[0-9a-f]{64}")
UNREAD = "the case names the plate, which you have yet to read; give your own reading first"
NO_KEY = "this server has no signing key, and so hands no case over"


def find_case(services: Services, identity: Identity, violation: UUID) -> CaseState:
    """The case, for one who may have all of it. Raises HTTPException 403, 404, and ConflictError."""
    case = read_case(services.repository, violation)
    if case is None:
        raise HTTPException(404, f"there is no violation {violation}")
    if is_blind(services, identity, violation):
        raise HTTPException(403, UNREAD)
    return case


def original_package(services: Services, case: CaseState) -> Path | None:
    """The folder of the case's evidence; None when it has none. Raises HTTPException 404 and 409, EvidenceError."""
    evidence = case.violation.evidence
    if evidence is None or not evidence.files:
        return None
    if not evidence.complete:
        raise HTTPException(409, "the evidence is not complete yet: the clip is still being gathered")
    inside = confined(services.settings.evidence_root, evidence.folder)
    folder = services.evidence.package(evidence.folder, evidence.files) if inside else None
    if folder is None:
        raise HTTPException(404, "the evidence is recorded, but neither in the evidence folder nor archived")
    return folder


def hand_over(
    services: Services, trail: Trail, case: CaseState, *, reason: str, copy: Copy | None = None
) -> StreamingResponse:
    """The case file as a download, written on the audit trail; with the redacted `copy` in place of the original.

    Raises:
        HTTPException: 404, 409.
        EvidenceError: the evidence is not what was recorded of it.
    """
    original = original_package(services, case)
    package = original if copy is None else copies_of(services).folder(copy.violation, copy.original)
    made = assemble(
        case,
        package,
        signer_of(services),
        original=None if copy is None else original,
        zone=services.settings.timezone,
        site=services.settings.site_name,
        code_version=version("matthan"),
    )
    try:
        detail = {"reason": reason, "redacted": copy is not None, "manifest_sha256": made.manifest_sha256}
        trail.record("case.export", "violation", case.violation.id, detail)
    except BaseException:
        made.close()
        raise
    headers: Mapping[str, str] = {
        "Content-Length": str(made.size),
        "Content-Disposition": f'attachment; filename="{"redacted-" if copy else ""}{made.name}"',
        "Cache-Control": "private, no-store",
        "ETag": f'"{made.manifest_sha256}"',
    }
    return StreamingResponse(made.chunks(), media_type="application/zip", headers=headers)


def request_copy(services: Services, trail: Trail, case: CaseState, reason: str) -> Copy:
    """Have a redacted copy of the case's evidence made. Raises HTTPException 404, 409 and 429."""
    copies, package = copies_of(services), original_package(services, case)
    if package is None:
        raise HTTPException(409, "the case has no evidence that could be redacted")
    try:
        copy = copies.request(case.violation.id, original_of(case), package)
    except TooManyCopiesError:
        raise HTTPException(
            429, "many copies are being made; try again later", headers={"Retry-After": "300"}
        ) from None
    detail = {"reason": reason, "original": copy.original}
    trail.record("case.redact", "violation", case.violation.id, detail)
    return copy


def find_copy(services: Services, case: CaseState) -> Copy | None:
    """The redacted copy of the case's evidence as it is now; None when nobody asked for one."""
    original = original_of(case)
    if not original or services.copies is None:
        return None
    return services.copies.find(case.violation.id, original)


def original_of(case: CaseState) -> str:
    """The SHA-256 of the manifest of the case's evidence; "" where it has none."""
    files = case.violation.evidence.files if case.violation.evidence else ()
    recorded = (file.sha256 for file in files if file.role == "manifest")
    return next((sha256 for sha256 in recorded if SHA256.fullmatch(sha256)), "")  # it names a folder


def signer_of(services: Services) -> Signer:
    """Raises HTTPException 409 where there is none."""
    if services.signer is None:
        raise HTTPException(409, NO_KEY)
    return services.signer


def copies_of(services: Services) -> Copies:
    """Raises HTTPException 409 where there are none."""
    if services.copies is None:
        raise HTTPException(409, NO_KEY)
    return services.copies

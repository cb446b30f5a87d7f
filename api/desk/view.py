"""What the pages show of a violation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Self
from uuid import UUID

import structlog

from api.desk.words import Condition, conditions, sentence
from api.problems import UNREADABLE_EVIDENCE
from api.reviews import TELLING
from api.routes.evidence import verification
from api.schemas import FaultAnswer, Verification, file_url
from api.services import Services
from pipeline.errors import EvidenceError
from pipeline.store.records import CameraStatus, PlateRecord, ViolationRecord, ViolationSummary
from pipeline.types import EvidenceFile

PLAYABLE = frozenset({"video/mp4", "video/webm"})
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Row:
    """One violation of the list; `picture` is None before its evidence is written."""

    violation: ViolationSummary
    camera: str
    picture: str | None


@dataclass(frozen=True, slots=True)
class FileLink:
    file: EvidenceFile
    url: str


@dataclass(frozen=True, slots=True)
class Case:
    """One violation with all that its page shows. `clips` play in a browser; `files` are all of the package."""

    violation: ViolationRecord
    camera: CameraStatus | None
    sentence: str
    conditions: list[Condition]
    plate: PlateRecord | None
    overlay: FileLink | None
    still: FileLink | None
    crop: FileLink | None
    clips: list[FileLink]
    files: list[FileLink]
    verification: Verification | None

    @classmethod
    def of(cls, violation: ViolationRecord, services: Services) -> Self:
        evidence = violation.evidence
        links = [FileLink(file, file_url(violation.id, file)) for file in (evidence.files if evidence else ())]
        repository = services.repository
        return cls(
            violation=violation,
            camera=repository.camera(violation.camera),
            sentence=sentence(violation),
            conditions=conditions(violation.trace),
            plate=repository.plate_read(violation.plate_read) if violation.plate_read else None,
            overlay=_first(links, "overlay"),
            still=_first(links, "still"),
            crop=_first(links, "plate"),
            clips=_playable(links),
            files=links,
            verification=_verified(violation, services),
        )

    @property
    def without_reading(self) -> Self:
        """The case for an officer who has yet to read its plate unprompted: the overlay, the trace and the conditions
        name it."""
        files = [link for link in self.files if link.file.role not in TELLING]
        told = "A watched vehicle was seen." if self.violation.kind == "plate" else self.sentence
        return replace(self, sentence=told, conditions=[], plate=None, overlay=None, files=files)

    @property
    def plated(self) -> bool:
        """Whether a vehicle did it, so that a plate belongs to the case."""
        return self.violation.track is not None

    @property
    def camera_name(self) -> str:
        return self.camera.name if self.camera and self.camera.name else self.violation.camera


def list_rows(
    violations: Iterable[ViolationSummary],
    files: Mapping[UUID, tuple[EvidenceFile, ...]],
    cameras: Mapping[str, str],
) -> list[Row]:
    return [
        Row(violation, cameras.get(violation.camera, violation.camera), _picture(violation, files))
        for violation in violations
    ]


def _picture(violation: ViolationSummary, files: Mapping[UUID, tuple[EvidenceFile, ...]]) -> str | None:
    by_role = {file.role: file for file in files.get(violation.id, ())}
    file = by_role.get("overlay") or by_role.get("still")
    return file_url(violation.id, file) if file else None


def _first(links: list[FileLink], role: str) -> FileLink | None:
    return next((link for link in links if link.file.role == role), None)


def _playable(links: list[FileLink]) -> list[FileLink]:
    """In the place of a clip its preview where there is one: it is made only of a clip that browsers cannot play."""
    videos = {_stem(link): link for link in links if link.file.media_type in PLAYABLE and link.file.role == "clip"}
    videos |= {_stem(link): link for link in links if link.file.media_type in PLAYABLE and link.file.role == "preview"}
    return [videos[stem] for stem in sorted(videos)]


def _stem(link: FileLink) -> str:
    """What a clip and its preview have in common: `-2` of `clip-2.mkv` and `preview-2.mp4`."""
    return link.file.name.partition(".")[0].removeprefix(link.file.role)


def _verified(violation: ViolationRecord, services: Services) -> Verification | None:
    """None while there is nothing to verify yet."""
    if violation.evidence is None or not violation.evidence.complete:
        return None
    try:
        return verification(services, violation.evidence)
    except EvidenceError as error:
        log.error("evidence", error=str(error))
        return Verification(intact=False, faults=[FaultAnswer(file="", reason=UNREADABLE_EVIDENCE)])

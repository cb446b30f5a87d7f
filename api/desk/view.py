"""What the pages show of a violation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self
from uuid import UUID

import structlog

from api.desk.decision import Condition, conditions, plain_sentence, sentence
from api.desk.language import Language
from api.desk.playback import Playback
from api.problems import UNREADABLE_EVIDENCE
from api.reviews import TELLING
from api.routes.evidence import verification
from api.routes.violations import without_reading
from api.schemas import FaultAnswer, Verification, file_url
from api.services import Services
from pipeline.errors import EvidenceError
from pipeline.plate_writing import written
from pipeline.review import ReviewPolicy, due
from pipeline.store.casework import Neighbour
from pipeline.store.records import CameraStatus, PlateRecord, ViolationRecord, ViolationSummary
from pipeline.store.review_records import ReviewRecord
from pipeline.types import EvidenceFile

UNNAMED = frozenset({"wrong_way", "crowd", "fire"})
"""Kinds of violation whose conditions never name the plate."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FileLink:
    file: EvidenceFile
    url: str


@dataclass(frozen=True, slots=True)
class Row:
    """One violation of a list; `picture` is None before its evidence is written, `due` when nothing is due. `plate` is
    as people write it, empty for none."""

    violation: ViolationSummary
    camera: str
    plate: str
    picture: str | None
    review: ReviewRecord
    due: datetime | None


@dataclass(frozen=True, slots=True)
class Beside:
    """A neighbour as a page shows it."""

    neighbour: Neighbour
    camera: str
    plate: str
    picture: str | None


@dataclass(frozen=True, slots=True)
class Vote:
    """How many reads of a plate said this text, and how sure the surest of them was."""

    text: str
    reads: int
    confidence: float


@dataclass(frozen=True, slots=True)
class RawRead:
    """`seconds` are counted from the violation's beginning."""

    seconds: float
    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Case:
    """One violation with all that its page shows. `plate_shown` is the machine's reading as people write it, empty for
    none, or one that is not to be shown. `clips` play in a browser; `files` are all of the package."""

    violation: ViolationRecord
    camera: CameraStatus | None
    sentence: str
    conditions: list[Condition]
    plate: PlateRecord | None
    plate_shown: str
    overlay: FileLink | None
    still: FileLink | None
    crop: FileLink | None
    playback: Playback
    files: list[FileLink]
    verification: Verification | None

    @classmethod
    def of(cls, violation: ViolationRecord, services: Services, language: Language, *, blind: bool) -> Self:
        """For an officer who is `blind`, and has yet to read the plate unprompted, all that names it is left out."""
        evidence, countries = violation.evidence, services.settings.plate_countries
        links = [FileLink(file, file_url(violation.id, file)) for file in (evidence.files if evidence else ())]
        playback = Playback.of(violation, services)
        plate = services.repository.plate_read(violation.plate_read) if violation.plate_read and not blind else None
        shown = (plate and plate.display) or written(violation.plate_text or "", countries)
        known, told = conditions(violation.trace, language), sentence(_in_words(violation, shown, countries), language)
        verified = _verified(violation, services)
        if blind:
            links = [link for link in links if link.file.role not in TELLING]
            known = known if violation.kind in UNNAMED else []
            told = plain_sentence(violation, language)
            violation = without_reading(violation)
        return cls(
            violation=violation,
            camera=services.repository.camera(violation.camera),
            sentence=told,
            conditions=known,
            plate=plate,
            plate_shown="" if blind else shown,
            overlay=_first(links, "overlay"),
            still=_first(links, "still"),
            crop=_first(links, "plate"),
            playback=playback,
            files=links,
            verification=verified,
        )

    @property
    def plated(self) -> bool:
        """Whether a vehicle did it, so that a plate belongs to the case."""
        return self.violation.track is not None

    @property
    def camera_name(self) -> str:
        return self.camera.name if self.camera and self.camera.name else self.violation.camera

    @property
    def notes(self) -> list[str]:
        """How the evidence came about, in the program's words, each thing by itself."""
        return (
            self.violation.evidence.note.split("; ") if self.violation.evidence and self.violation.evidence.note else []
        )

    @property
    def reads(self) -> list[RawRead]:
        start = self.violation.start
        return [
            RawRead((datetime.fromisoformat(read["time"]) - start).total_seconds(), read["text"], read["confidence"])
            for read in self._raw
        ]

    @property
    def votes(self) -> list[Vote]:
        """The texts that were read, those that most reads said first."""
        count = Counter(read["text"] for read in self._raw)
        best = {text: max(read["confidence"] for read in self._raw if read["text"] == text) for text in count}
        return [Vote(text, reads, best[text]) for text, reads in count.most_common()]

    @property
    def _raw(self) -> Iterable[Mapping[str, Any]]:
        return self.plate.reads if self.plate else ()


def list_rows(
    violations: Iterable[ViolationSummary],
    services: Services,
    cameras: Mapping[str, str],
    hidden: frozenset[UUID],
) -> list[Row]:
    """Of the `hidden` neither the plate nor a picture that names it."""
    shown = [
        replace(each, plate_text=None, plate_confidence=None) if each.id in hidden else each for each in violations
    ]
    identities = [violation.id for violation in shown]
    files, reviews = services.repository.evidence_of(identities), services.repository.reviews(identities)
    plates = plates_written({each.id: each.plate_text for each in shown}, services)
    return [
        Row(
            violation,
            cameras.get(violation.camera, violation.camera),
            plates[violation.id],
            picture(violation.id, files, hidden=violation.id in hidden),
            reviews[violation.id],
            due_of(reviews[violation.id], services.settings.review),
        )
        for violation in shown
        if violation.id in reviews
    ]


def beside(neighbours: Iterable[Neighbour], services: Services, cameras: Mapping[str, str]) -> list[Beside]:
    neighbours = list(neighbours)
    files = services.repository.evidence_of([each.violation.id for each in neighbours])
    plates = plates_written({each.violation.id: each.violation.plate_text for each in neighbours}, services)
    return [
        Beside(
            each,
            cameras.get(each.violation.camera, each.violation.camera),
            plates[each.violation.id],
            picture(each.violation.id, files, hidden=each.hidden),
        )
        for each in neighbours
    ]


def plates_written(texts: Mapping[UUID, str | None], services: Services) -> Mapping[UUID, str]:
    """The plates of violations as people write them; empty where there is no text of one."""
    known = services.repository.plates_of([violation for violation, text in texts.items() if text])
    countries = services.settings.plate_countries
    return {each: known.get(each) or written(text, countries) if text else "" for each, text in texts.items()}


def picture(violation: UUID, files: Mapping[UUID, tuple[EvidenceFile, ...]], *, hidden: bool) -> str | None:
    by_role = {file.role: file for file in files.get(violation, ())}
    file = (None if hidden else by_role.get("overlay")) or by_role.get("still")
    return file_url(violation, file) if file else None


def due_of(review: ReviewRecord, policy: ReviewPolicy) -> datetime | None:
    return due(review.case, policy, detected=review.detected, notified=review.notified)


def _in_words(violation: ViolationRecord, plate: str, countries: Sequence[str]) -> ViolationRecord:
    """The violation with its plate, and the one of the list that it is near, as people write them."""
    details = violation.trace.get("details", {})
    listed = {"listed": written(str(details["listed"]), countries)} if details.get("listed") else {}
    trace = {**violation.trace, "details": {**details, **listed}}
    return replace(violation, plate_text=plate or None, trace=trace)


def _first(links: list[FileLink], role: str) -> FileLink | None:
    return next((link for link in links if link.file.role == role), None)


def _verified(violation: ViolationRecord, services: Services) -> Verification | None:
    """None while there is nothing to verify yet."""
    if violation.evidence is None or not violation.evidence.complete:
        return None
    try:
        return verification(services, violation.evidence)
    except EvidenceError as error:
        log.error("evidence", error=str(error))
        return Verification(intact=False, faults=[FaultAnswer(file="", reason=UNREADABLE_EVIDENCE)])

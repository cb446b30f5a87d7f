"""A labelled training set out of decided cases."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from pipeline.config.retention import RetentionConfig
from pipeline.detectors import Runtime
from pipeline.errors import EvidenceError, QueryError
from pipeline.evidence.archive import EvidenceFiles
from pipeline.evidence.manifest import canonical
from pipeline.frame import Image, decode, encode
from pipeline.plate_text import is_pseudonym
from pipeline.review import State
from pipeline.store import Repository, ViolationFilter
from pipeline.store.report_records import LabelledCase
from pipeline.training.layout import Example, write_coco, write_yolo
from pipeline.training.lessons import LeftOut, Lesson, lesson
from pipeline.training.pictures import Pseudonymiser
from pipeline.training.splits import SHARES, Member, Split, SplitBy, assign
from pipeline.types import EvidenceFile

FORMAT = "matthan-training/1"
LICENCE = (
    "Pictures of public places, kept as evidence: for training and testing the site's own models only, unless the \
site that made them says otherwise."
)


@dataclass(frozen=True, slots=True)
class TrainingRequest:
    """Which decided cases, and how they are parted. With `plates` the set also holds the pictures of accepted plates
    in clear, with their texts: personal data."""

    wanted: ViolationFilter = field(default_factory=ViolationFilter)
    by: SplitBy = SplitBy.CAMERA
    plates: bool = False
    licence: str = LICENCE


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """What was written."""

    pictures: int
    plates: int
    splits: Mapping[Split, int]
    left_out: Mapping[LeftOut, int]


def export_training_set(
    repository: Repository,
    evidence: EvidenceFiles,
    target: Path,
    request: TrainingRequest,
    zone: ZoneInfo,
    retention: Mapping[str, RetentionConfig] | None = None,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
    runtime: Runtime = Runtime(),  # noqa: B008 - frozen
) -> TrainingSet:
    """Write the set to `target`, a new folder, or a ZIP file when its name ends so. The same cases give the same set.

    `retention` are the settings of the cameras by id: the manifest tells of each case until when it may be kept.
    `progress` is told how many of how many pictures are made; `runtime` is where the models run that hide people.

    Raises:
        QueryError: no decided case teaches anything.
        EvidenceError: `target` is there already, or cannot be written; the archive is away.
    """
    if target.exists():
        raise EvidenceError(f"{target}: is there already; name a new file or folder")
    try:
        with tempfile.TemporaryDirectory(dir=target.absolute().parent, prefix=".training-") as scratch:
            folder = Path(scratch, target.stem)
            folder.mkdir()
            export = _Export(repository, evidence, folder, request, zone, retention or {}, progress, runtime)
            made = export.write()
            if target.suffix.lower() == ".zip":
                _pack(folder, Path(scratch, "packed")).replace(target)
            else:
                folder.rename(target)
    except OSError as error:
        raise EvidenceError(f"{target}: cannot be written: {error.strerror}") from None
    return made


class _Export:
    """The making of one set."""

    def __init__(
        self,
        repository: Repository,
        evidence: EvidenceFiles,
        folder: Path,
        request: TrainingRequest,
        zone: ZoneInfo,
        retention: Mapping[str, RetentionConfig],
        progress: Callable[[int, int], None],
        runtime: Runtime,
    ) -> None:
        self._repository, self._evidence, self._folder = repository, evidence, folder
        self._request, self._zone, self._retention, self._progress = request, zone, retention, progress
        self._left_out: dict[LeftOut, list[str]] = {}
        self._pseudonymiser = Pseudonymiser(runtime)

    def write(self) -> TrainingSet:
        lessons = list(self._lessons())
        members = [Member(case.id, case.camera, case.start) for case, _ in lessons]
        splits = assign(members, self._request.by, self._zone)
        examples, items = [], []
        for number, (case, taught) in enumerate(lessons, 1):
            example = self._example(case, taught, splits[case.id])
            if example is not None:
                examples.append(example)
                items.append(self._item(case, example))
            self._progress(number, len(lessons))
        if not examples:
            raise QueryError("no decided case among these has a picture that teaches anything; ask for more")
        classes = sorted({name for example in examples for name, _ in example.lesson.boxes})
        write_yolo(self._folder, examples, classes)
        write_coco(self._folder, examples, classes)
        plates = list(self._plates((case for case, _ in lessons), splits)) if self._request.plates else []
        self._write_manifest(classes, items, plates)
        counted = Counter(example.split for example in examples)
        left_out = {reason: len(cases) for reason, cases in self._left_out.items()}
        return TrainingSet(len(examples), len(plates), {split: counted[split] for split in Split}, left_out)

    def _lessons(self) -> Iterator[tuple[LabelledCase, Lesson]]:
        for case in self._repository.labelled_cases(self._request.wanted):
            found = lesson(case)
            if isinstance(found, LeftOut):
                self._leave_out(case, found)
            else:
                yield case, found

    def _example(self, case: LabelledCase, taught: Lesson, split: Split) -> Example | None:
        """Write the picture of a case; None when it is left out."""
        assert case.still is not None  # noqa: S101  a case without one teaches nothing
        picture = self._picture(case, case.still)
        if not isinstance(picture, LeftOut) and picture.shape[:2] != (case.frame_height, case.frame_width):
            picture = LeftOut.ALTERED
        if isinstance(picture, LeftOut):
            self._leave_out(case, picture)
            return None
        example = Example(case.id, split, case.frame_width, case.frame_height, taught)
        self._write_picture(example.image, self._pseudonymiser.hide(picture, taught))
        return example

    def _picture(self, case: LabelledCase, file: EvidenceFile) -> Image | LeftOut:
        """A picture of the evidence, checked against its record, or why it is not used."""
        path = self._evidence.file(case.folder, file) if case.folder else None
        if path is None:
            return LeftOut.NO_STILL
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != file.sha256:
            return LeftOut.ALTERED
        try:
            return decode(data)
        except EvidenceError:
            return LeftOut.ALTERED

    def _write_picture(self, name: str, picture: Image) -> None:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(picture))

    def _leave_out(self, case: LabelledCase, reason: LeftOut) -> None:
        self._left_out.setdefault(reason, []).append(str(case.id))

    def _item(self, case: LabelledCase, example: Example) -> dict[str, Any]:
        assert case.still is not None  # noqa: S101  as above
        return {
            "case": str(case.id),
            "camera": case.camera,
            "kind": case.kind,
            "rule": case.rule,
            "verdict": example.lesson.taught,
            "negative": not example.lesson.genuine,
            "decision": case.state,
            "reason": case.reason,
            "confidence": case.confidence,
            "split": example.split,
            "image": example.image,
            "still_sha256": case.still.sha256,
            "keep_until": self._keep_until(case),
        }

    def _keep_until(self, case: LabelledCase) -> str | None:
        """When the site's rules take the case away; None where they keep it for good."""
        settings = self._retention.get(case.camera, RetentionConfig())
        days = settings.rejected if case.state is State.REJECTED and settings.rejected is not None else None
        days = settings.violations if days is None else days
        return _moment(case.start + timedelta(days=days)) if days else None

    def _plates(self, cases: Iterable[LabelledCase], splits: Mapping[UUID, Split]) -> Iterator[dict[str, Any]]:
        """Pictures of plates whose text officers accepted, in the split of their case."""
        for case in cases:
            text = case.plate if case.plate is not None else case.plate_text
            if case.state is State.REJECTED or case.crop is None or not text or is_pseudonym(text):
                continue
            picture = self._picture(case, case.crop)
            if not isinstance(picture, LeftOut):
                name = f"plates/{splits[case.id]}/{case.id}.jpg"
                self._write_picture(name, picture)
                corrected = case.plate is not None and case.plate != case.plate_text
                yield {"case": str(case.id), "image": name, "text": text, "corrected": corrected}

    def _write_manifest(self, classes: list[str], items: list[dict[str, Any]], plates: list[dict[str, Any]]) -> None:
        limits = [item["keep_until"] for item in items if item["keep_until"]]
        fields: dict[str, Any] = {
            "format": FORMAT,
            "licence": self._request.licence,
            "retention": {
                "note": "Each case goes when its evidence goes: take its files out of copies by then.",
                "first_due": min(limits) if limits else None,
            },
            "pseudonymised": {
                "hidden": ["plates", "heads of people", "vehicles and people that no officer decided on"],
                "models": self._pseudonymiser.models,
                "plates_in_clear": bool(plates),
            },
            "split": {"by": self._request.by, "shares": {str(split): share for split, share in SHARES.items()}},
            "classes": classes,
            "cases": items,
            "plates": plates,
            "left_out": {str(reason): cases for reason, cases in sorted(self._left_out.items())},
        }
        (self._folder / "README.md").write_text(_readme(fields), encoding="utf-8")
        fields["files"] = {
            path.relative_to(self._folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self._folder.rglob("*"))
            if path.is_file()
        }
        (self._folder / "manifest.json").write_bytes(canonical(fields))


def _readme(fields: Mapping[str, Any]) -> str:
    splits = Counter(item["split"] for item in fields["cases"])
    verdicts = Counter(item["verdict"] for item in fields["cases"])
    clear = "The folder `plates` holds plates in clear, which are personal data." if fields["plates"] else ""
    return f"""# Training set of decided cases

{len(fields["cases"])} pictures: {", ".join(f"{splits[split]} {split}" for split in Split)}.
Rule verdicts: {", ".join(f"{count} {name}" for name, count in sorted(verdicts.items()))}.

- YOLO: `data.yaml`, `images/`, `labels/`. A negative, in which officers found nothing of what was told, has an empty
  label file.
- COCO: `annotations/instances_*.json` over the same pictures.
- `manifest.json`: each case with its decision, split, the SHA-256 of its still, and the SHA-256 of every file here.

Plates and heads are blurred. Vehicles and people that no officer decided on are painted over, so that a detector
learns them neither as background nor from another detector. All of them as far as the models named in the manifest
find them, so look the pictures through before they leave the house. {clear}

{fields["licence"]}

{fields["retention"]["note"]} First due: {fields["retention"]["first_due"] or "none"}.
"""


def _moment(time: datetime) -> str:
    return time.date().isoformat()


def _pack(folder: Path, target: Path) -> Path:
    """The folder as a ZIP file whose bytes depend on its content alone."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as packed:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(f"{folder.name}/{path.relative_to(folder).as_posix()}")
                entry.external_attr = 0o644 << 16
                with path.open("rb") as source, packed.open(entry, "w") as sink:
                    shutil.copyfileobj(source, sink)
    return target

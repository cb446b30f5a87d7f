"""An evidence package, or a redacted copy of it, as a folder or ZIP file to give out."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import EvidenceError
from pipeline.evidence import report, verify_package
from pipeline.evidence.clip import unwritable
from pipeline.evidence.container import chunks, describe, pack
from pipeline.evidence.manifest import LEFT_OUT, MANIFEST, opened
from pipeline.evidence.package import describe_files, staged, write_manifest
from pipeline.frame import Image, decode, encode
from pipeline.redaction.blurring import blur, regions
from pipeline.redaction.clips import LOOKS_PER_SECOND, Clip, look_through, write_redacted
from pipeline.redaction.finding import Finder, Seen
from pipeline.redaction.subject import Subject
from pipeline.signing import Signer
from pipeline.types import Box

Progress = Callable[[str, float], None]
LOOKING = 0.8
"""About the share of the time that goes into looking through the clips; the rest is writing them anew."""

UNSURE = "the plate is not seen to be the subject's"
"""Why the picture of a plate is left out."""


def export(
    package: Path,
    target: Path,
    *,
    redact: bool = True,
    signer: Signer | None = None,
    progress: Progress = lambda what, share: None,
) -> Path:
    """Copy an evidence package to `target`, a new folder, or a ZIP file when its name ends so.

    With `redact`, heads, vehicles and plates of everyone but the subject are blurred in the stills and clips of
    the copy, for good; its manifest names the original's and verifies as that of a redacted copy, signed where there
    is a `signer`. The original stays as it is. `progress` is told what is being worked on, and
    which share of the whole is done.

    Raises:
        EvidenceError: the package does not verify or cannot be read, or `target` is there already or cannot be
            written.
    """
    faults = verify_package(package)
    if faults:
        raise EvidenceError(f"not exported, for it does not verify: {report(package, faults)}")
    if target.exists():
        raise EvidenceError(f"{target}: is there already; name a new file or folder")
    if target.suffix.lower() != ".zip":
        with staged(target.absolute()) as draft:
            _fill(package, draft, redact, signer, progress)
        return target
    try:
        with tempfile.TemporaryDirectory(dir=target.absolute().parent, prefix=".export-") as scratch:
            name = package.absolute().name
            folder = Path(scratch) / name
            folder.mkdir()
            _fill(package, folder, redact, signer, progress)
            packed = Path(scratch) / "packed.zip"
            _pack(folder, packed)
            packed.replace(target)
    except OSError as error:
        raise unwritable(target, error) from None
    return target


def _fill(package: Path, draft: Path, redact: bool, signer: Signer | None, progress: Progress) -> None:
    if redact:
        _Redaction(package, draft, progress).write(signer)
        return
    for file in package.iterdir():
        shutil.copyfile(file, draft / file.name)


def _pack(folder: Path, target: Path) -> None:
    """The folder as a ZIP file whose bytes depend on its content alone."""
    files = {describe(f"{folder.name}/{file.name}", chunks(file)): file for file in sorted(folder.iterdir())}
    with target.open("wb") as packed:
        for piece in pack(list(files), lambda entry: chunks(files[entry])):
            packed.write(piece)


class _Redaction:
    """The making of one redacted copy."""

    def __init__(self, package: Path, draft: Path, progress: Progress) -> None:
        self._package, self._draft, self._progress = package, draft, progress
        self._share = 0.0
        data = (package / MANIFEST).read_bytes()
        self._original = hashlib.sha256(data).hexdigest()
        self._fields = opened(data)
        if "redaction" in self._fields:
            raise EvidenceError(f"{package}: is a redacted copy already")
        try:
            trace = json.loads((package / "trace.json").read_bytes())
            self._subject = Subject.of(trace)
            self._moment = datetime.fromisoformat(trace["still"]["time"])
            self._plate = _plate(trace["plate"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EvidenceError(f"{package / 'trace.json'}: cannot be read: {error}") from None
        self._finder = Finder()

    def write(self, signer: Signer | None) -> None:
        clips = [self._clip(clip) for clip in self._fields["clips"]]
        seen = self._pictures(clips)
        shown = {"trace", "plate"} if self._shows_plate(seen, clips) else {"trace"}
        left_out: dict[str, str] = {}
        for file in self._fields["files"]:
            if file["role"] in shown:
                shutil.copyfile(self._package / file["name"], self._draft / file["name"])
            elif file["role"] == "plate":
                left_out[file["name"]] = UNSURE
        told = [{**clip, "name": _renamed(clip["name"]), "obstacle": ""} for clip in self._fields["clips"]]
        fields: dict[str, Any] = {
            **self._fields,
            "clips": told,
            "files": [
                {name: getattr(file, name) for name in ("name", "role", "media_type", "size", "sha256")}
                for file in describe_files(self._draft)
            ],
            "redaction": {
                "original": self._original,
                "blurred": ["heads of people", "vehicles", "plates"],
                "subject": self._subject.label if self._subject.places else "",
                "models": self._finder.models,
                **({LEFT_OUT: left_out} if left_out else {}),
            },
        }
        write_manifest(self._draft, fields, signer)

    def _clip(self, told: dict[str, Any]) -> Clip:
        name = told["name"]
        start, end = (datetime.fromisoformat(told[edge]) for edge in ("start", "end"))
        looks = max(1.0, (end - start).total_seconds() * LOOKS_PER_SECOND)
        part, done = 1 / len(self._fields["clips"]), self._share

        def look() -> None:
            self._share = min(self._share + part * LOOKING / looks, done + part * LOOKING)
            self._progress(f"looking through {name}", self._share)

        clip = look_through(self._package / name, start, self._finder, look)
        self._share = done + part * LOOKING
        self._progress(f"writing {_renamed(name)}", self._share)
        write_redacted(clip, self._subject, self._draft / _renamed(name))
        self._share = done + part
        return clip

    def _pictures(self, clips: Sequence[Clip]) -> list[Seen]:
        """The still and its overlay: what is found in the still itself, and where the clip's people are then."""
        self._progress("blurring the pictures", 1.0)
        still = _picture(self._package / "still.jpg")
        subject = self._subject.at(self._moment)
        seen: list[Seen] = list(self._finder.find(still))
        for clip in clips:
            seen += clip.seen((self._moment - clip.start).total_seconds())
        wanted = regions(seen, subject, ridden=self._subject.ridden)
        (self._draft / "still.jpg").write_bytes(encode(blur(still, wanted)))
        overlay = _picture(self._package / "overlay.jpg")
        caption = overlay.shape[0] - still.shape[0]
        lower = blur(overlay[caption:], wanted)
        (self._draft / "overlay.jpg").write_bytes(encode(np.vstack([overlay[:caption], lower])))
        return seen

    def _shows_plate(self, seen: Sequence[Seen], clips: Sequence[Clip]) -> bool:
        """Whether the plate stays legible where it was read: on the subject, and on nobody else who is found there.

        `seen` is who is found in the still. A plate that was read at another moment is looked for in the clips.
        """
        if self._plate is None:
            return False
        time, box = self._plate
        looks = [(self._subject.at(time), seen)] if time == self._moment else []
        for clip in clips:
            seconds = (time - clip.start).total_seconds()
            if found := clip.seen(seconds):
                looks.append((self._subject.within(clip, seconds, self._subject.width), found))
        return bool(looks) and all(self._is_subjects(box, subject, found) for subject, found in looks)

    def _is_subjects(self, plate: Box, subject: Box | None, found: Sequence[Seen]) -> bool:
        vehicles = [one for one in found if one.kind == "vehicle"]
        hidden = regions([Seen("plate", plate), *vehicles], subject, ridden=self._subject.ridden)
        return all(region.kind != "plate" for region in hidden)


def _plate(told: Mapping[str, Any] | None) -> tuple[datetime, Box] | None:
    """When and where in the picture the plate was read, as the trace says."""
    if told is None or told["box"] is None:
        return None
    left, top, right, bottom = (float(edge) for edge in told["box"])
    return datetime.fromisoformat(told["time"]), (left, top, right, bottom)


def _picture(path: Path) -> Image:
    try:
        return decode(path.read_bytes())
    except EvidenceError:
        raise EvidenceError(f"{path}: is no picture") from None


def _renamed(name: str) -> str:
    return f"{Path(name).stem}.mp4"

"""The clips of a case as the browser plays them, and what is drawn over them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Self

from api.files import confined
from api.schemas import file_url
from api.services import Services
from pipeline.errors import EvidenceError
from pipeline.evidence.manifest import opened
from pipeline.store.records import EvidenceRecord, ViolationRecord
from pipeline.types import EvidenceFile

PLAYABLE = frozenset({"video/mp4", "video/webm"})


@dataclass(frozen=True, slots=True)
class PlayableClip:
    """`start` is seconds from the violation's beginning, None where the package does not tell."""

    file: EvidenceFile
    url: str
    start: float | None


@dataclass(frozen=True, slots=True)
class Playback:
    """`boxes` is JSON: for each analysed moment its seconds from the violation's beginning and the boxes then, each
    (left, top, right, bottom) in pixels of the still. They hold no words, so that they tell no plate."""

    clips: tuple[PlayableClip, ...]
    boxes: str
    seconds: float

    @classmethod
    def of(cls, violation: ViolationRecord, services: Services) -> Self:
        evidence = violation.evidence
        starts = _clip_starts(evidence, services) if evidence else {}
        clips = tuple(
            PlayableClip(file, file_url(violation.id, file), _seconds(starts.get(_stem(file)), violation.start))
            for file in _playable(evidence.files if evidence else ())
        )
        last = violation.end or violation.last_seen
        return cls(clips, _boxes(violation), (last - violation.start).total_seconds())


def _playable(files: tuple[EvidenceFile, ...]) -> list[EvidenceFile]:
    """In the place of a clip its preview where there is one: it is made only of a clip that browsers cannot play."""
    videos = {_stem(file): file for file in files if file.media_type in PLAYABLE and file.role == "clip"}
    videos |= {_stem(file): file for file in files if file.media_type in PLAYABLE and file.role == "preview"}
    return [videos[stem] for stem in sorted(videos)]


def _stem(file: EvidenceFile) -> str:
    """What a clip and its preview have in common: `-2` of `clip-2.mkv` and `preview-2.mp4`."""
    return file.name.partition(".")[0].removeprefix(file.role)


def _clip_starts(evidence: EvidenceRecord, services: Services) -> Mapping[str, datetime]:
    """When each clip begins, as its package says; nothing where that cannot be read: the seal tells what is wrong."""
    manifest = next((file for file in evidence.files if file.role == "manifest"), None)
    inside = confined(services.settings.evidence_root, evidence.folder)
    try:
        path = services.evidence.file(evidence.folder, manifest) if manifest and inside else None
        clips = opened(path.read_bytes())["clips"] if path else ()
        return {clip["name"].partition(".")[0].removeprefix("clip"): _moment(clip["start"]) for clip in clips}
    except (EvidenceError, OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment


def _seconds(moment: datetime | None, start: datetime) -> float | None:
    return None if moment is None else (moment - start).total_seconds()


def _boxes(violation: ViolationRecord) -> str:
    start = violation.start

    def when(box: Mapping[str, Any]) -> float:
        return round((datetime.fromisoformat(box["time"]) - start).total_seconds(), 3)

    boxes = sorted(violation.trace.get("boxes", ()), key=when)
    moments = [
        [seconds, [[round(side) for side in box["box"]] for box in group]]
        for seconds, group in groupby(boxes, key=when)
    ]
    return json.dumps(moments, separators=(",", ":"))

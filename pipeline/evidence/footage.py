"""The clips of a violation: from what a camera's buffer holds into its package, as far as the disk has room."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from pipeline.evidence.buffer import PacketBuffer
from pipeline.evidence.clip import Clip, UnwritableCodecError, write_clips
from pipeline.evidence.package import package_folder, read_package
from pipeline.paths import free_bytes
from pipeline.sources.base import MediaPacket
from pipeline.types import Evidence, Violation

log = structlog.get_logger()

PATIENCE = timedelta(minutes=10)
"""So long after its end, of media time, a clip waits for space on the disk; then its package does without."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What was put into a package, and what to say of it. `postponed`: the clip may still come."""

    clips: list[Clip] = field(default_factory=list)
    note: str = ""
    postponed: bool = False


class ClipMaker:
    """Makes clips from `before` a violation to `after` it, of at most `limit` of the incident.

    `reserve` bytes of the disk are left to what matters more: no clip is written that would take of them.
    """

    def __init__(
        self,
        buffer: PacketBuffer,
        root: Path,
        *,
        before: timedelta,
        after: timedelta,
        limit: timedelta,
        reserve: int,
    ) -> None:
        self._buffer = buffer
        self._root = root
        self._before, self._after, self._limit = before, after, limit
        self._reserve = reserve

    def until(self, violation: Violation) -> datetime:
        """The end of its clip, as far as is known."""
        longest = violation.start + self._limit
        return min(violation.end or longest, longest) + self._after

    def gather(
        self,
        violation: Violation,
        draft: Path,
        last: Evidence | None,
        *,
        complete: bool,
        reason: str,
        now: datetime | None,
    ) -> Gathered:
        """Put the clips into the draft: those of `last`, the package so far, where they begin before what memory still
        holds, followed by what they do not show; else new ones.

        `now` is the media time, None when nothing more comes.
        """
        until = self.until(violation)
        packets = self._buffer.between(violation.start - self._before, until)
        kept = read_package(self._root, package_folder(violation)) if complete and last else None
        if kept and kept[0].complete and reaches_further_back(kept[1], packets):
            link_clips(self._root / package_folder(violation), draft)
            return Gathered(kept[1], kept[0].note)
        if packets and (lack := self._lack_of_room(packets)):
            waits = complete and now is not None and now < until + PATIENCE
            if complete and not waits:
                log.error("violation kept without its clip", camera=violation.camera, id=str(violation.id), error=lack)
            return Gathered(note=f"{'no clip yet' if waits or not complete else 'no clip'}: {lack}", postponed=waits)
        try:
            if kept and reaches_further_back(kept[1], packets):  # memory had no room until the clip was complete
                link_clips(self._root / package_folder(violation), draft)
                clips, reason = kept[1], reason or "the video after that was not kept in memory"
                clips = clips + write_clips(self._rest(clips[-1].end, until), draft, after=len(clips))
            else:
                clips, kept = write_clips(packets, draft), None
        except UnwritableCodecError as error:
            return Gathered(note=f"no clip: {error}")
        notes = self._notes(violation, clips, until if complete else None, reason, first=len(kept[1]) if kept else 0)
        return Gathered(clips, "; ".join(notes))

    def _lack_of_room(self, packets: Sequence[MediaPacket]) -> str:
        """Why the disk has no room for a clip of these; "" when it has."""
        left = free_bytes(self._root) - sum(len(packet.data) for packet in packets)
        if left >= self._reserve:
            return ""
        return (
            f"it would leave less than {self._reserve // 2**20} MiB free on the disk of {self._root}; free space there"
        )

    def _rest(self, shown: datetime, until: datetime) -> list[MediaPacket]:
        """The packets that go on from a clip that ends there, from a key frame; none when there are no more."""
        packets = self._buffer.between(shown, until)
        return packets if any(packet.time > shown for packet in packets) else []

    def _notes(
        self, violation: Violation, clips: Sequence[Clip], until: datetime | None, reason: str, first: int
    ) -> list[str]:
        """What to say of the clips, of which the `first` are from before memory let their video go."""
        if not clips:
            return ["no clip: the camera sent no key frame in time"]
        notes = list(dict.fromkeys(clip.obstacle for clip in clips if clip.obstacle))
        if 0 < first < len(clips):
            gap = (clips[first].start - clips[first - 1].end).total_seconds()
            missing = f"; {gap:.1f} s between them are missing" if gap > 1 else ""
            notes.append(f"the clip is in {len(clips)} parts because memory had no room for all of it{missing}")
        elif len(clips) > 1:
            notes.append(f"the clip is in {len(clips)} parts because the camera changed its picture format")
        if cut := self._buffer.cut_before(clips[0].start, violation.start - self._before):
            notes.append(
                f"the first {cut:.1f} s of the clip are missing: the camera's video took more memory than the "
                f"{self._buffer.max_bytes // 2**20} MiB that it may"
            )
        elif clips[0].start > violation.start:
            notes.append("the clip begins after the violation: nothing earlier was kept")
        if until and reason and clips[-1].end < until - timedelta(seconds=1):
            notes.append(f"the clip ends {(until - clips[-1].end).total_seconds():.1f} s early: {reason}")
        elif until and until < (violation.end or until + self._after):
            notes.append(f"the clip shows the first {self._limit.total_seconds():g} s of the incident")
        return notes


def reaches_further_back(clips: Sequence[Clip], packets: Sequence[MediaPacket]) -> bool:
    """Whether clips that are already there begin before what the buffer still holds."""
    return bool(clips) and (not packets or clips[0].start < min(packet.time for packet in packets))


def link_clips(package: Path, draft: Path) -> None:
    """Bring a package's clips and previews into the draft that will replace it.

    Raises:
        OSError: they cannot be copied.
    """
    for file in package.iterdir():
        if file.stem.split("-")[0] in {"clip", "preview"}:
            link_file(file, draft / file.name)


def link_file(file: Path, link: Path) -> None:
    """Let a file that nobody changes any more be in a second place. Raises OSError."""
    try:
        link.hardlink_to(file)
    except OSError:  # a file system without hard links
        shutil.copyfile(file, link)

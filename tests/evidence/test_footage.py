"""Clips on a disk and in a memory that are too small for them: the event stays, and what is cut is named."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.errors import EvidenceError
from pipeline.evidence import EvidenceRecorder, verify_package
from pipeline.sources import Recording
from pipeline.types import Evidence

from ..servers.clips import make_clip
from ..servers.disk import fill, small_disk
from .makers import START, at, packet, settled, violation
from .test_recorder import FOLDER, numbers, recorder

__all__ = ["small_disk"]

MIB = 2**20


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("footage") / "clip.mp4", frames=200, gop=25)


def watch(footage: Path, kept: EvidenceRecorder) -> list[Evidence]:
    """A violation from 2 to 3 s of the footage, seen to its end; all that was written of it."""
    written: list[Evidence] = []
    for frame in Recording(footage, "gate", start=START).frames(kept.packet):
        if frame.time in (at(2), at(3)):
            written.append(kept.record(violation(frame, at(2), at(3) if frame.time == at(3) else None)))
        written += settled(kept, kept.advance(frame.time))
    return written


def names(root: Path) -> set[str]:
    return {path.name for path in (root / FOLDER).iterdir()}


def test_a_clip_waits_for_room_and_the_event_does_not(footage: Path, small_disk: Path) -> None:
    kept = recorder(small_disk, reserve=3 * MIB)
    filler = small_disk / "filler"
    filler.write_bytes(bytes(2 * MIB))
    first, *_, last = watch(footage, kept)
    for evidence in (first, last):
        assert not evidence.complete
        assert evidence.note.startswith(
            f"no clip yet: it would leave less than 3 MiB free on the disk of {small_disk}; "
        )
    assert names(small_disk) == {"still.jpg", "overlay.jpg", "trace.json", "manifest.json"}
    assert settled(kept, kept.advance(at(20))) == []  # not tried all the time
    filler.unlink()
    (evidence,) = settled(kept, kept.advance(at(40)))
    assert (evidence.complete, evidence.note) == (True, "")
    assert numbers(small_disk, evidence) == list(range(25, 101))
    assert verify_package(small_disk / FOLDER) == []


@pytest.mark.parametrize("stopped", [False, True])
def test_an_event_does_without_its_clip_in_the_end(
    footage: Path, small_disk: Path, capsys: pytest.CaptureFixture[str], *, stopped: bool
) -> None:
    kept = recorder(small_disk, reserve=4 * MIB)
    watch(footage, kept)
    (evidence,) = settled(kept, kept.finish() if stopped else kept.advance(at(4) + timedelta(minutes=10)))
    assert evidence.complete
    assert evidence.note.startswith("no clip: it would leave less than 4 MiB free on the disk")
    assert verify_package(small_disk / FOLDER) == []
    assert settled(kept, kept.advance(at(9999))) == []
    assert capsys.readouterr().out.count("violation kept without its clip") == 1


def test_a_full_disk_is_told_and_the_package_written_when_there_is_space(footage: Path, small_disk: Path) -> None:
    kept = recorder(small_disk)
    filler = fill(small_disk)
    frames = list(Recording(footage, "gate", start=START).frames(kept.packet))
    with pytest.raises(EvidenceError, match="No space left on device; free space"):
        kept.record(violation(frames[50], at(2), at(3)))
    (tried,) = kept.advance(at(5))
    assert not tried.complete
    assert "No space left on device" in tried.note
    filler.unlink()
    (evidence,) = settled(kept, kept.advance(at(36)))
    assert (evidence.complete, evidence.note) == (True, "")
    assert verify_package(small_disk / FOLDER) == []


def test_pictures_do_not_pile_up_in_memory_while_the_disk_is_full(
    footage: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.evidence.recorder.MOST_WAITING", 3)
    kept = recorder(small_disk)
    fill(small_disk)
    frames = list(Recording(footage, "gate", start=START).frames(kept.packet))
    for number in range(9):
        told = violation(frames[50], at(2), at(3))
        object.__setattr__(told, "id", type(told.id)(int=number))
        with pytest.raises(EvidenceError):
            kept.record(told)
    assert len(list(kept.advance(at(5)))) == 9
    assert len(list(kept.advance(at(40)))) == 3


def test_what_memory_cut_off_a_clip_is_named(footage: Path, tmp_path: Path) -> None:
    size = footage.stat().st_size // 3
    kept = recorder(tmp_path, before=timedelta(seconds=4), max_bytes=size)
    for frame in Recording(footage, "gate", start=START).frames(kept.packet):
        if frame.time == at(5):
            kept.record(violation(frame, at(5), at(5)))
    assert kept.buffer.bytes <= size
    (last,) = settled(kept, kept.finish())
    assert last.complete
    seen = numbers(tmp_path, last)
    assert seen[0] > 0
    missing = seen[0] / 25 - 1
    assert f"the first {missing:.1f} s of the clip are missing: the camera's video took more memory" in last.note


@pytest.mark.parametrize("gap", [False, True])
def test_the_beginning_that_memory_let_go_stays_and_the_rest_follows(
    footage: Path, tmp_path: Path, *, gap: bool
) -> None:
    kept = recorder(tmp_path, max_bytes=MIB)
    for frame in Recording(footage, "gate", start=START).frames(kept.packet):
        if frame.time == at(2):
            first = numbers(tmp_path, kept.record(violation(frame, at(2), at(7))))
        # memory has to let go the two oldest groups of pictures, or all that there are
        tight = 1 if gap else kept.buffer.bytes - 1
        kept.buffer.max_bytes = tight if frame.time in ((at(5),) if gap else (at(3), at(3.04))) else MIB
    (evidence,) = settled(kept, kept.finish())
    rest = numbers(tmp_path, evidence, "clip-2.mp4")
    assert numbers(tmp_path, evidence) == first
    assert rest[-1] == 199
    assert rest[0] == (150 if gap else first[-1] // 25 * 25)
    note = "the clip is in 2 parts because memory had no room for all of it"
    assert evidence.note.startswith(note)
    assert ("s between them are missing" in evidence.note) == gap
    assert verify_package(tmp_path / FOLDER) == []


def test_a_clip_that_is_there_stays_when_memory_let_its_video_go(footage: Path, tmp_path: Path) -> None:
    kept = recorder(tmp_path, max_bytes=MIB)
    frames = Recording(footage, "gate", start=START).frames(kept.packet)
    frame = next(frame for frame in frames if frame.time == at(2))
    first = kept.record(violation(frame, at(2), at(3)))
    shown = numbers(tmp_path, first)
    kept.packet(packet(600, key=True, size=MIB))
    (evidence,) = settled(kept, kept.advance(at(600)))
    assert evidence.complete
    assert numbers(tmp_path, evidence) == shown
    assert evidence.note.startswith("the clip ends ")
    assert evidence.note.endswith(" s early: the video after that was not kept in memory")
    assert verify_package(tmp_path / FOLDER) == []

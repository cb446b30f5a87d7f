from __future__ import annotations

import json
import os
import shutil
import subprocess
import weakref
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import cv2
import numpy as np
import pytest

from pipeline.errors import EvidenceError
from pipeline.evidence import EvidenceRecorder, verify_package
from pipeline.frame import Frame
from pipeline.sources import Recording
from pipeline.types import Evidence

from ..servers.clips import make_clip, number_of
from .makers import ID, START, at, play, violation

SECOND = timedelta(seconds=1)
FOLDER = f"gate/2024-01-31/{ID}"


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("footage") / "clip.mp4", frames=200, gop=25)


def recorder(root: Path, **settings: object) -> EvidenceRecorder:
    arguments: dict[str, object] = {"before": SECOND, "after": SECOND, "code_version": "1.2.3", **settings}
    return EvidenceRecorder("gate", root, **arguments)  # type: ignore[arg-type]


def numbers(root: Path, evidence: Evidence, name: str = "clip.mp4") -> list[int]:
    frames = Recording(root / evidence.folder / name, "gate", start=START).frames(lambda packet: None)
    return [number_of(frame.image) for frame in frames]


def snapshot(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_package_is_there_at_once_and_complete_in_time(footage: Path, tmp_path: Path) -> None:
    outcome = play(footage, recorder(tmp_path))
    assert (outcome.first.folder, outcome.first.complete) == (FOLDER, False)
    assert [file.name for file in outcome.first.files] == [
        "still.jpg", "overlay.jpg", "plate.jpg", "clip.mp4", "trace.json", "manifest.json",
    ]  # fmt: skip
    assert outcome.finished == []
    (evidence,) = outcome.advanced
    assert evidence.complete
    assert evidence.note == ""
    assert {file.role for file in evidence.files} == {"still", "overlay", "plate", "clip", "trace", "manifest"}
    assert verify_package(tmp_path / FOLDER) == []
    assert numbers(tmp_path, evidence) == list(range(25, 101))  # 1 s before 2.0 to 1 s after 3.0


def test_the_files_are_what_was_seen(footage: Path, tmp_path: Path) -> None:
    play(footage, recorder(tmp_path))
    package = tmp_path / FOLDER
    still = cv2.imread(str(package / "still.jpg"))
    assert still is not None
    assert number_of(still) == 75
    overlay = cv2.imread(str(package / "overlay.jpg"))
    assert overlay is not None
    assert overlay.shape[0] > still.shape[0]
    trace = json.loads((package / "trace.json").read_text("utf-8"))
    assert trace["predicates"][0]["limit"] == "inf"
    assert trace["plate"]["text"] == "75-F1 123.45"
    assert trace["details"]["note"] == "ngược chiều"
    manifest = json.loads((package / "manifest.json").read_text("utf-8"))
    assert manifest["end"] == "2024-01-31T16:59:53.000000+00:00"
    assert manifest["clips"][0]["start"] == "2024-01-31T16:59:51.000000+00:00"
    assert (manifest["code_version"], manifest["models"]) == ("1.2.3", {"road-nano": "ab" * 32})


def test_the_answer_names_every_file_as_it_lies_there(footage: Path, tmp_path: Path) -> None:
    evidence = play(footage, recorder(tmp_path)).last
    for file in evidence.files:
        assert (tmp_path / evidence.folder / file.name).stat().st_size == file.size
    manifest = next(file for file in evidence.files if file.role == "manifest")
    assert verify_package(tmp_path / evidence.folder, manifest.sha256) == []


def test_doing_it_again_gives_the_same_bytes(footage: Path, tmp_path: Path) -> None:
    play(footage, recorder(tmp_path))
    before = snapshot(tmp_path)
    outcome = play(footage, recorder(tmp_path))
    assert outcome.first.complete  # the finished package stays until the new one is finished
    assert snapshot(tmp_path) == before


def test_a_package_is_remembered_until_its_evidence_is_settled(footage: Path, tmp_path: Path) -> None:
    kept = recorder(tmp_path)
    mark = tmp_path / "gate" / ".unfinished" / str(ID)
    frames = Recording(footage, "gate", start=START).frames(kept.packet)
    kept.settled(kept.record(violation(next(frame for frame in frames if frame.time >= at(2)), at(2), at(3))))
    assert mark.exists()  # it is not complete
    for frame in frames:
        for evidence in kept.advance(frame.time):
            assert evidence.complete
            assert mark.exists()
            kept.settled(evidence)
            assert not mark.exists()
            return
    pytest.fail("the package was never completed")


def test_a_mark_that_cannot_be_removed_costs_nothing(footage: Path, tmp_path: Path) -> None:
    kept = recorder(tmp_path)
    kept.record(violation(next(Recording(footage, "gate", start=START).frames(kept.packet)), at(0), at(0)))
    (evidence,) = kept.finish()
    mark = tmp_path / "gate" / ".unfinished" / str(ID)
    mark.unlink()
    mark.mkdir()
    kept.settled(evidence)
    assert verify_package(tmp_path / evidence.folder) == []


def test_packages_are_written_one_by_one_as_they_are_asked_for(footage: Path, tmp_path: Path) -> None:
    kept = recorder(tmp_path)
    frame = next(Recording(footage, "gate", start=START).frames(kept.packet))
    told = [replace(violation(frame, at(0), at(0)), id=UUID(int=number)) for number in range(2)]
    folders = [tmp_path / kept.record(one).folder for one in told]
    written = kept.finish()
    assert next(written).violation == told[0].id
    assert [len(verify_package(folder)) for folder in folders] == [0, 1]
    kept.record(told[0])  # from between two of them, the recorder can be called
    assert [evidence.violation for evidence in written] == [told[1].id]
    assert [len(verify_package(folder)) for folder in folders] == [0, 0]


def test_the_recording_may_end_first(footage: Path, tmp_path: Path) -> None:
    outcome = play(footage, recorder(tmp_path), begin=7, end=7.5)
    (evidence,) = outcome.finished
    assert evidence.complete
    assert evidence.note == ""  # less than a second is missing
    outcome = play(footage, recorder(tmp_path, after=3 * SECOND), begin=7, end=7.5)
    assert outcome.last.note == "the clip ends 2.5 s early: the recording ends there"
    assert verify_package(tmp_path / FOLDER) == []


def test_a_long_incident_gets_its_beginning_and_its_end_in_the_papers(footage: Path, tmp_path: Path) -> None:
    outcome = play(footage, recorder(tmp_path, limit=2 * SECOND), begin=2, end=7)
    clip_complete, ended = outcome.advanced
    assert clip_complete.complete
    assert clip_complete.note == ended.note == "the clip shows the first 2 s of the incident"
    assert numbers(tmp_path, ended) == list(range(25, 126))
    manifest = json.loads((tmp_path / FOLDER / "manifest.json").read_text("utf-8"))
    assert manifest["end"] == "2024-01-31T16:59:57.000000+00:00"
    assert number_of(cv2.imread(str(tmp_path / FOLDER / "still.jpg"))) == 175
    assert verify_package(tmp_path / FOLDER) == []


def test_a_report_after_the_package_changes_the_papers_and_not_the_clip(footage: Path, tmp_path: Path) -> None:
    kept = recorder(tmp_path, reach=timedelta(0))
    source = Recording(footage, "gate", start=START)
    late: list[Evidence] = []
    for frame in source.frames(kept.packet):
        if frame.time in {at(2), at(3), at(7)}:
            late.append(kept.record(violation(frame, at(2), at(3), plate=frame.time == at(7))))
        late += kept.advance(frame.time)
    assert [evidence.complete for evidence in late] == [False, False, True, True, True]
    assert "plate" in {file.role for file in late[-1].files}
    assert numbers(tmp_path, late[-1]) == list(range(25, 101))
    assert verify_package(tmp_path / FOLDER) == []


def test_a_violation_told_long_after_its_start_has_its_start(footage: Path, tmp_path: Path) -> None:
    kept = recorder(tmp_path, reach=5 * SECOND)
    for frame in Recording(footage, "gate", start=START).frames(kept.packet):
        if frame.time == at(6):
            kept.record(violation(frame, at(2), at(3)))
        advanced = list(kept.advance(frame.time))
        if advanced:
            assert numbers(tmp_path, advanced[0]) == list(range(25, 101))
            break
    else:
        pytest.fail("the package was never completed")


def test_no_key_frame_in_time_is_told(footage: Path, tmp_path: Path) -> None:
    kept = recorder(tmp_path)
    frame = next(Recording(footage, "gate", start=START).frames(lambda packet: None))
    kept.record(violation(frame, at(0)))
    (evidence,) = kept.finish()
    assert evidence.note == "no clip: the camera sent no key frame in time"
    assert "clip" not in {file.role for file in evidence.files}


def test_a_change_of_size_gives_two_clips_and_says_so(tmp_path: Path) -> None:
    small = make_clip(tmp_path / "1.ts", frames=75, b_frames=0)
    large = make_clip(tmp_path / "2.ts", frames=75, b_frames=0, size=(320, 240), first_number=75)
    joined = tmp_path / "joined.ts"
    joined.write_bytes(small.read_bytes() + large.read_bytes())
    evidence = play(joined, recorder(tmp_path / "evidence"), begin=2, end=3.5).last
    assert evidence.note == "the clip is in 2 parts because the camera changed its picture format"
    assert numbers(tmp_path / "evidence", evidence) + numbers(tmp_path / "evidence", evidence, "clip-2.mp4") == list(
        range(20, 113)
    )


def test_names_of_cameras_never_leave_the_root(footage: Path, tmp_path: Path) -> None:
    frame = next(Recording(footage, "gate", start=START).frames(lambda packet: None))
    for camera in ("..", "../../etc", "a/b", ".hidden", "Ngã tư"):
        kept = recorder(tmp_path / "evidence")
        told = violation(frame, at(0))
        evidence = kept.record(
            type(told)(**{name: getattr(told, name) for name in told.__slots__} | {"camera": camera})
        )
        folder = tmp_path / "evidence" / evidence.folder
        assert folder.resolve().relative_to(tmp_path / "evidence")
        assert len(folder.relative_to(tmp_path / "evidence").parts) == 3


def test_violations_that_wait_for_their_clip_keep_few_pictures_in_memory(tmp_path: Path) -> None:
    writer = recorder(tmp_path)
    pictures = []
    for number in range(12):
        still = Frame("gate", number, at(number), np.full((90, 160, 3), 10 * number, np.uint8))
        pictures.append(weakref.ref(still.image))
        writer.record(replace(violation(still, at(number)), id=UUID(int=number), boxes=()))
        del still
    assert sum(picture() is not None for picture in pictures) <= 5
    last = {evidence.violation: evidence for evidence in writer.finish()}
    assert len(last) == 12
    for number in range(12):
        shown = cv2.imread(str(tmp_path / last[UUID(int=number)].folder / "still.jpg"))
        assert shown.shape == (90, 160, 3)
        assert np.abs(shown.astype(int) - 10 * number).max() <= 3


def test_an_unwritable_folder_is_named_and_tried_again(footage: Path, tmp_path: Path) -> None:
    root = tmp_path / "evidence"
    root.write_text("in the way")
    kept = recorder(root)
    frames = Recording(footage, "gate", start=START).frames(kept.packet)
    frame = next(frame for frame in frames if frame.time >= at(2))
    with pytest.raises(EvidenceError, match=f"{root}.*cannot be written"):
        kept.record(violation(frame, at(2), at(3)))
    failed = [evidence for frame in frames for evidence in kept.advance(frame.time)]
    assert [evidence.complete for evidence in failed] == [False]
    assert "cannot be written" in failed[0].note
    root.unlink()
    (evidence,) = kept.finish()
    assert evidence.complete
    assert verify_package(root / evidence.folder) == []


def test_a_full_disk_leaves_nothing_half_written(footage: Path, tmp_path: Path) -> None:
    root = tmp_path / "full"
    root.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("needs root, to mount a small file system")
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=28k", "tmpfs", root], check=False)
    if mounted.returncode != 0:
        pytest.skip("needs the right to mount a small file system")
    try:
        kept = recorder(root)
        frames = Recording(footage, "gate", start=START).frames(kept.packet)
        frame = next(frame for frame in frames if frame.time >= at(2))
        with pytest.raises(EvidenceError, match="free space"):
            kept.record(violation(frame, at(2), at(3)))
        assert not (root / FOLDER).exists()
        failed = [evidence for frame in frames for evidence in kept.advance(frame.time)]
        assert not any(evidence.complete for evidence in failed)
        subprocess.run(["mount", "-o", "remount,size=4m", root], check=True)
        (evidence,) = kept.finish()
        assert evidence.complete
        assert verify_package(root / evidence.folder) == []
    finally:
        subprocess.run(["umount", root], check=True)


def test_a_package_that_was_changed_is_not_taken_for_the_finished_one(footage: Path, tmp_path: Path) -> None:
    play(footage, recorder(tmp_path))
    before = snapshot(tmp_path)
    (tmp_path / FOLDER / "clip.mp4").write_bytes(b"another clip")
    outcome = play(footage, recorder(tmp_path))
    assert not outcome.first.complete
    assert snapshot(tmp_path) == before


def test_the_overlay_can_be_in_local_time(footage: Path, tmp_path: Path) -> None:
    utc = play(footage, recorder(tmp_path / "a")).last
    local = play(footage, recorder(tmp_path / "b", timezone=ZoneInfo("Asia/Ho_Chi_Minh"), name="Ngã tư")).last
    one, two = (
        cv2.imread(str(tmp_path / root / evidence.folder / "overlay.jpg"))
        for root, evidence in (("a", utc), ("b", local))
    )
    assert one is not None and two is not None
    height = min(len(one), len(two))
    assert (np.abs(one[:height].astype(int) - two[:height]) > 60).any()
    assert utc.folder == local.folder  # the day of the folder is that of UTC for everyone

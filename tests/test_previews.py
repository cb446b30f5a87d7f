"""Clips that no browser plays get a viewing copy after their package is complete, also after a kill."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

from pipeline import previews as previews_module
from pipeline.evidence import verify_package
from pipeline.evidence.archive import Archive
from pipeline.evidence.preview import PENDING, is_marked, pending, take_up
from pipeline.evidence.recovery import UNFINISHED
from pipeline.lanes import Lanes
from pipeline.previews import Previews, encode
from pipeline.spool import Packed
from pipeline.stopping import Stop
from pipeline.types import Evidence
from pipeline.uploads import Uploads

from .evidence.makers import ID, play
from .evidence.test_recorder import FOLDER, numbers, recorder, snapshot
from .servers.clips import make_clip
from .servers.disk import fill, small_disk

__all__ = ["small_disk"]

NOTE = "browsers do not play the camera's codec mpeg4"


class Outlet:
    """Keeps what it is given, and says that it is safe."""

    def __init__(self) -> None:
        self.packed: list[Evidence] = []

    def append(self, *records: Packed, safe: object = None) -> bool:  # noqa: ARG002
        self.packed += [record.evidence for record in records]
        return True

    latest = None


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("footage") / "clip.avi", "mpeg4", frames=150)


@pytest.fixture
def outlet() -> Outlet:
    return Outlet()


@pytest.fixture
def lanes() -> Iterator[Lanes]:
    lanes = Lanes()
    yield lanes
    lanes.close()


def previews(root: Path, outlet: Outlet, lanes: Lanes, **given: object) -> Previews:
    return Previews(root, outlet, lanes, **given)  # type: ignore[arg-type]


def mark(root: Path) -> Path:
    return root / "gate" / PENDING / str(ID)


def test_a_package_is_complete_before_its_preview_is_there(
    footage: Path, tmp_path: Path, outlet: Outlet, lanes: Lanes
) -> None:
    evidence = play(footage, recorder(tmp_path)).last
    assert (evidence.complete, evidence.note) == (True, NOTE)
    assert mark(tmp_path).exists()
    clip = (tmp_path / FOLDER / "clip.mp4").read_bytes()

    previews(tmp_path, outlet, lanes).make_due()
    (told,) = outlet.packed
    assert told.complete
    assert told.note == f"{NOTE}; preview.mp4 is a re-encoded copy for viewing, clip.mp4 the evidence"
    assert [file.role for file in told.files] == ["still", "overlay", "plate", "clip", "preview", "trace", "manifest"]
    assert verify_package(tmp_path / FOLDER, told.files[-1].sha256) == []
    assert numbers(tmp_path, told, "preview.mp4") == numbers(tmp_path, told)
    assert (tmp_path / FOLDER / "clip.mp4").read_bytes() == clip
    first = snapshot(tmp_path)
    assert {Path(name).parent.name for name in first} == {str(ID)}  # no mark, no draft, no older package

    play(footage, recorder(tmp_path))
    previews(tmp_path, outlet, lanes).make_due()
    assert snapshot(tmp_path) == first


def test_what_a_killed_process_left_is_made_by_the_next(footage: Path, tmp_path: Path) -> None:
    play(footage, recorder(tmp_path))
    other = subprocess.Popen(["sleep", "60"])
    mark(tmp_path).write_text(f"{other.pid}: {FOLDER}")
    assert list(pending(tmp_path)) == []  # another process that lives sees to it
    other.kill()
    other.wait()
    assert list(pending(tmp_path)) == [(mark(tmp_path), FOLDER)]


def test_a_package_that_is_not_settled_or_gone_is_left_alone(
    footage: Path, tmp_path: Path, outlet: Outlet, lanes: Lanes
) -> None:
    play(footage, recorder(tmp_path))
    unfinished = tmp_path / "gate" / UNFINISHED / str(ID)
    unfinished.touch()
    previews(tmp_path, outlet, lanes).make_due()
    assert mark(tmp_path).exists()
    unfinished.unlink()
    previews(tmp_path, outlet, lanes, reserve=2**60).make_due()  # no room
    assert mark(tmp_path).exists()
    shutil.rmtree(tmp_path / FOLDER)
    previews(tmp_path, outlet, lanes).make_due()
    assert not mark(tmp_path).exists()
    assert outlet.packed == []


@pytest.mark.parametrize("fault", ["damaged", "slow"])
def test_a_preview_that_cannot_be_made_is_tried_once_more_by_the_next_start(
    fault: str,
    footage: Path,
    tmp_path: Path,
    outlet: Outlet,
    lanes: Lanes,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    play(footage, recorder(tmp_path))
    if fault == "slow":
        monkeypatch.setattr(previews_module, "LONGEST_SECONDS", 0.0)
    else:
        (tmp_path / FOLDER / "clip.mp4").write_bytes(b"no film")
    maker = previews(tmp_path, outlet, lanes)
    for _ in range(2):
        maker.make_due()
        assert (maker.waiting, outlet.packed) == (0, [])
        assert not is_marked(tmp_path / FOLDER)
    assert capsys.readouterr().out.count("no preview") == (2 if fault == "damaged" else 1)
    for _ in range(2):
        take_up(tmp_path)
        previews(tmp_path, outlet, lanes).make_due()
    assert capsys.readouterr().out.count("no preview") == (2 if fault == "damaged" else 1)
    assert [path.name for path in (tmp_path / "gate" / PENDING).iterdir()] == []


def test_a_preview_for_which_the_disk_had_no_room_is_made_after_the_next_start(
    footage: Path, small_disk: Path, outlet: Outlet, lanes: Lanes
) -> None:
    play(footage, recorder(small_disk))
    filler = fill(small_disk)
    previews(small_disk, outlet, lanes).make_due()
    assert outlet.packed == []
    filler.unlink()
    maker = previews(small_disk, outlet, lanes)
    maker.start()
    deadline = monotonic() + 120
    while not outlet.packed and monotonic() < deadline:
        sleep(0.05)
    maker.close()
    assert [evidence.violation for evidence in outlet.packed] == [ID]


def test_a_stop_ends_the_encoder_and_keeps_the_mark(
    footage: Path, tmp_path: Path, outlet: Outlet, lanes: Lanes
) -> None:
    play(footage, recorder(tmp_path))
    stop = Stop()
    stop.set()
    assert not encode(tmp_path / FOLDER / "clip.mp4", tmp_path / "preview.mp4", stop)
    assert not (tmp_path / "preview.mp4").exists()
    previews(tmp_path, outlet, lanes, stop=stop).make_due()
    assert mark(tmp_path).exists()


def test_a_package_waits_with_the_archive_for_its_preview(footage: Path, tmp_path: Path) -> None:
    root = tmp_path / "here"
    play(footage, recorder(root))
    uploads = Uploads(root, Archive((tmp_path / "store").as_uri()))
    uploads.upload()
    assert uploads.done == 0
    mark(root).unlink()
    uploads.upload()
    assert uploads.done == 1

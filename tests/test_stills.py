"""The newest picture of each camera is on the disk soon, and whoever offers frames never waits for it."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline import stills as stills_module
from pipeline.config import CameraConfig, Config
from pipeline.frame import Frame
from pipeline.paths import StillFiles
from pipeline.stills import WAITING, Stills
from pipeline.types import Detections, Findings
from tests.store.makers import violation

NOON = datetime(2026, 5, 1, 5, tzinfo=UTC)
NOISE = np.random.default_rng(1).integers(0, 255, (720, 1280, 3), np.uint8)
CAR = Detections(np.array([[400, 200, 800, 600]], np.float32), np.array([0.9], np.float32), np.array(["car"]))


def camera(name: str = "gate", **settings: object) -> CameraConfig:
    zone = {"id": "yard", "polygon": [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]]}
    given = {"id": name, "source": "rtsp://10.0.0.1/1", "zones": [zone], **settings}
    return Config.model_validate({"site": {"timezone": "Asia/Ho_Chi_Minh"}, "cameras": [given]}).cameras[0]


def frame(name: str = "gate", index: int = 0) -> Frame:
    return Frame(name, index, NOON + timedelta(seconds=index), NOISE)


def wait_for(path: Path) -> Path:
    deadline = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < deadline, "the picture did not come"
        time.sleep(0.01)
    return path


def test_pictures_are_drawn_shrunk_and_dated(tmp_path: Path) -> None:
    files = StillFiles.of(tmp_path, "gate")
    alarm = violation(1, "gate", still=frame(), boxes=(("truck", (100.0, 100.0, 300.0, 300.0)),))
    with Stills(tmp_path) as stills:
        stills.offer(camera(), frame(), {"road": CAR}, Findings((alarm,)))
        wait_for(files.bare)
    pictures = {name: cv2.imread(str(getattr(files, name))) for name in ("annotated", "small", "bare")}
    assert {name: picture.shape[:2] for name, picture in pictures.items()} == {
        "annotated": (360, 640),
        "small": (180, 320),
        "bare": (720, 1280),
    }
    drawn = pictures["annotated"].astype(int)
    for name, (x, y), colour in (("box", (300, 300), (80, 220, 80)), ("alarm", (50, 120), (0, 0, 255))):
        assert np.abs(drawn[y, x] - colour).max() < 60, name
    assert files.annotated.stat().st_mtime == NOON.timestamp()


@pytest.mark.parametrize("settings", [{"hash_plates": True}, {"stills": {"show": "coarse"}}])
def test_a_camera_that_only_counts_shows_blocks(tmp_path: Path, settings: dict[str, object]) -> None:
    with Stills(tmp_path) as stills:
        stills.offer(camera(**settings), frame())
        bare = cv2.imread(str(wait_for(StillFiles.of(tmp_path, "gate").bare)))
    block = bare[2:36, 2:36]
    assert block.std(axis=(0, 1)).max() < 3, "a block of a 32nd of the width has one colour"


def test_none_takes_the_pictures_away(tmp_path: Path) -> None:
    files = StillFiles.of(tmp_path, "gate")
    files.annotated.parent.mkdir()
    files.annotated.write_bytes(b"of yesterday")
    with Stills(tmp_path) as stills:
        stills.offer(camera(stills={"show": "none"}), frame())
        deadline = time.monotonic() + 20
        while files.annotated.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
    assert not files.annotated.parent.exists()


def test_who_offers_never_waits_and_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held, begun = threading.Event(), threading.Event()

    def hang(*_: object) -> None:
        begun.set()
        held.wait()

    monkeypatch.setattr(Stills, "_keep", hang)
    stills = Stills(tmp_path)
    try:
        stills.offer(camera("first"), frame("first"))
        begun.wait()
        for index in range(3):  # the disk hangs, and cameras go on
            for number in range(3 * WAITING):
                name = f"camera-{number}"
                stills.offer(camera(name), frame(name, index))
        waiting = list(stills._waiting.values())
        assert len(waiting) == WAITING
        assert {still.frame.index for still in waiting} == {2}, "of each camera the newest waits"
    finally:
        held.set()
        stills.close()


def test_a_camera_is_drawn_no_more_often_than_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stills_module, "SHARE", 1.0)
    files = StillFiles.of(tmp_path, "gate")
    with Stills(tmp_path) as stills:
        stills.offer(camera(stills={"every": 3600}), frame())
        wait_for(files.bare)
        for index in range(1, 5):
            stills.offer(camera(stills={"every": 3600}), frame(index=index))
        stills.offer(camera("other"), frame("other"))
        wait_for(StillFiles.of(tmp_path, "other").bare)
    assert files.annotated.stat().st_mtime == NOON.timestamp()


def test_a_disk_that_takes_nothing_costs_no_camera(tmp_path: Path) -> None:
    (tmp_path / "gate").write_text("in the way")
    with Stills(tmp_path) as stills:
        stills.offer(camera(), frame())
        stills.offer(camera("other"), frame("other"))
        wait_for(StillFiles.of(tmp_path, "other").annotated)


@pytest.mark.parametrize("name", ["..", "a/b", ".hidden", "Cổng\n"])
def test_a_picture_lies_under_its_folder_whatever_the_camera_is_called(tmp_path: Path, name: str) -> None:
    files = StillFiles.of(tmp_path, name)
    assert files.annotated.parent.parent == tmp_path
    assert files.annotated.resolve().is_relative_to(tmp_path)

"""Batch analyses each file once, tells what became of it, and lets no bad file stop the others."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.batch import Batch
from pipeline.config import Config
from pipeline.installation import Installation
from pipeline.paths import DataFolder

START = datetime(2026, 5, 1, 7, tzinfo=UTC)


def write_clip(path: Path, frames: int = 20) -> Path:
    """A grey picture in which nothing is to be found."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        for index in range(frames):
            picture = np.full((96, 160, 3), 90 + index % 80, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode())
    return path


@pytest.fixture
def installation(tmp_path):
    config = Config.model_validate(
        {
            "site": {"name": "Test", "timezone": "Asia/Ho_Chi_Minh"},
            "inference": {"threads": 1},
            "cameras": [
                {
                    "id": "gate",
                    "source": "gate.mp4",
                    "rate": 10,
                    "rules": [{"kind": "crowd", "people": 3}],
                }
            ],
        }
    )
    with Installation.open(config, DataFolder(tmp_path / "data")) as opened:
        yield opened


def analyse(installation, *paths, start=None, stop=None):
    batch = Batch(installation, installation.config.cameras[0], paths, start, stop=stop or threading.Event())
    return {report.path.name: report for report in batch.analyse()}


def test_a_file_is_analysed_once(installation, tmp_path):
    clip = write_clip(tmp_path / "20260501_140000.mp4")
    (first,) = analyse(installation, clip).values()
    assert first.state == "analysed"
    assert first.tally.frames == 20
    assert first.tally.first == START  # 14:00 in the name is the site's local time
    (second,) = analyse(installation, clip).values()
    assert second.state == "skipped"
    assert [run.state for run in installation.repository.runs()] == ["finished"]


def test_another_start_is_other_footage(installation, tmp_path):
    clip = write_clip(tmp_path / "clip.mp4")
    assert analyse(installation, clip, start=START)["clip.mp4"].state == "analysed"
    assert analyse(installation, clip, start=START.replace(hour=9))["clip.mp4"].state == "analysed"


def test_bad_files_are_told_and_the_others_go_on(installation, tmp_path):
    good = write_clip(tmp_path / "20260501_140000.mp4")
    undated = write_clip(tmp_path / "undated.mkv")
    text = tmp_path / "20260501_150000.mp4"
    text.write_text("no video")
    missing = tmp_path / "missing.mp4"
    reports = analyse(installation, missing, text, undated, good)
    assert {name: report.state for name, report in reports.items()} == {
        "missing.mp4": "failed",
        "20260501_150000.mp4": "failed",
        "undated.mkv": "failed",
        "20260501_140000.mp4": "analysed",
    }
    assert "no such file" in reports["missing.mp4"].note
    assert "is not a video" in reports["20260501_150000.mp4"].note
    assert "--start" in reports["undated.mkv"].note


def test_a_truncated_file_is_read_up_to_the_damage(installation, tmp_path):
    whole = write_clip(tmp_path / "20260501_140000.mkv", frames=200)
    cut = tmp_path / "20260501_160000.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    report = analyse(installation, cut)[cut.name]
    assert report.state == "analysed"
    assert 0 < report.tally.frames < 200
    assert "ends at" in report.note


def test_a_stopped_batch_is_taken_up_again(installation, tmp_path):
    clip = write_clip(tmp_path / "20260501_140000.mp4")
    stop = threading.Event()
    stop.set()
    assert analyse(installation, clip, stop=stop) == {}
    assert analyse(installation, clip)[clip.name].state == "analysed"

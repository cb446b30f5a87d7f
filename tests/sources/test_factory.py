from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.config import load
from pipeline.errors import AnchorError
from pipeline.sources import ReaderPool, Recording, RtspCamera, open_source

from ..servers.clips import make_clip

STREAMS = """
site:
  name: Huế
  timezone: Asia/Ho_Chi_Minh
cameras:
  - id: gate
    rate: 5
    source: {source}
"""


def opened(folder: Path, source: str) -> Recording | RtspCamera:
    (folder / "streams.yaml").write_text(STREAMS.format(source=source), "utf-8")
    return open_source(load(folder / "streams.yaml").camera("gate"), ReaderPool())


def test_a_recording_is_found_beside_the_file_and_is_in_local_time(tmp_path: Path) -> None:
    make_clip(tmp_path / "gate_20240131_235959.mp4", frames=50)
    source = opened(tmp_path, "gate_20240131_235959.mp4")
    assert isinstance(source, Recording)
    assert source.anchor.time == datetime(2024, 1, 31, 16, 59, 59, tzinfo=UTC)
    frames = list(source.frames(lambda packet: None))
    assert [frame.camera for frame in frames] == ["gate"] * 10


def test_pattern_and_start_are_passed_on(tmp_path: Path) -> None:
    make_clip(tmp_path / "31.01.2024 23h59.mp4", frames=3)
    source = opened(tmp_path, '{url: "31.01.2024 23h59.mp4", pattern: "%d.%m.%Y %Hh%M"}')
    assert isinstance(source, Recording)
    assert source.anchor.time == datetime(2024, 1, 31, 16, 59, tzinfo=UTC)
    source = opened(tmp_path, '{url: "31.01.2024 23h59.mp4", start: 2024-05-06T07:00:00}')
    assert isinstance(source, Recording)
    assert source.anchor.time == datetime(2024, 5, 6, tzinfo=UTC)
    with pytest.raises(AnchorError):
        opened(tmp_path, '"31.01.2024 23h59.mp4"')


def test_a_live_camera_is_not_connected_to_before_its_frames_are_wanted(tmp_path: Path) -> None:
    source = opened(tmp_path, "{url: 'rtsp://192.0.2.1/x', user: operator, password: s3cret, transport: udp}")
    assert isinstance(source, RtspCamera)
    assert source.state.phase == "connecting"
    assert repr(source) == "RtspCamera(gate, rtsp://192.0.2.1)"

"""`matthan check`: the verdict on a streams.yaml, and what its sources are really like."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from fractions import Fraction
from io import StringIO
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from rich.console import Console

from pipeline.check import CameraProbe, check, probe, probe_table
from pipeline.check.picture import GROUND_COLOUR, LANE_COLOUR, ZONE_COLOUR, draw
from pipeline.config import CameraConfig, Config, load
from pipeline.paths import DataFolder
from tests.servers.deaf import deaf_server
from tests.servers.rtsp import StartRtspServer, rtsp_server  # noqa: F401 - a fixture

PLACES = """
    zones: [{id: square, polygon: [[0, 0.5], [1, 0.5], [1, 1], [0, 1]]}]
    lanes: [{id: north, polygon: [[0.6, 0], [0.9, 0], [0.9, 0.4], [0.6, 0.4]], direction: [[0.75, 0.4], [0.75, 0]]}]
    ground: {points: [[0.1, 0.9], [0.5, 0.9], [0.4, 0.6], [0.2, 0.6]], metres: [[0, 0], [8, 0], [8, 20], [0, 20]]}
"""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of grey at 12 frames a second, 320×240, H.264."""
    path = tmp_path_factory.mktemp("clips") / "gate_20260302_070000.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=12, options={"g": "12", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for number in range(48):
            frame = av.VideoFrame.from_ndarray(np.full((240, 320, 3), 100 + number % 12, np.uint8), format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, 12)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Accepts connections and never says a word, as a camera that hangs does."""
    with deaf_server() as port:
        yield port


def write(folder: Path, cameras: str, more: str = "") -> Path:
    file = folder / "streams.yaml"
    file.write_text(f"site: {{name: Huế, timezone: Asia/Ho_Chi_Minh}}\n{more}\ncameras:\n{cameras}", "utf-8")
    return file


def printed(renderable: object) -> str:
    console = Console(file=StringIO(), width=200, color_system=None)
    console.print(renderable, soft_wrap=True)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def probe_one(config: Config, folder: Path, timeout: float = 15) -> CameraProbe:
    found = probe(config, folder, timeout=timeout)
    assert len(found) == 1
    return found[0]


def test_a_recording_is_described_and_drawn(tmp_path: Path, clip: Path) -> None:
    config = load(write(tmp_path, f"  - id: gate\n    source: {clip}{PLACES}"))
    found = probe_one(config, tmp_path / "pictures")
    assert found.error is None
    assert (found.codec, found.width, found.height) == ("h264", 320, 240)
    assert found.declared_rate == 12
    assert found.measured_rate == pytest.approx(12, abs=0.1)
    assert found.clock == "file name"
    assert found.first == datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
    assert found.picture == tmp_path / "pictures" / "gate.jpg"
    picture = cv2.imread(str(found.picture))
    assert picture is not None
    assert picture.shape == (540, 720, 3), "small pictures are enlarged so that the ids can be read"
    assert not np.allclose(picture[500, 650], 100, atol=12), "the zone is tinted"


def test_a_live_camera_is_described_and_its_login_stays_hidden(
    tmp_path: Path,
    clip: Path,
    rtsp_server: StartRtspServer,  # noqa: F811 - the fixture
) -> None:
    server = rtsp_server({"/gate": clip}, user="admin", password="hunter2")
    file = write(
        tmp_path,
        f"  - id: gate\n    source: '{server.url('/gate', 'admin:${PASSWORD}')}'\n"
        f"  - id: yard\n    source: '{server.url('/gate', 'admin:s3cr3t')}'\n",
    )
    config = load(file, {"PASSWORD": "hunter2"})
    gate, yard = probe(config, tmp_path, timeout=20)
    assert gate.error is None
    assert (gate.codec, gate.width, gate.height) == ("h264", 320, 240)
    assert gate.measured_rate == pytest.approx(12, rel=0.2)
    assert gate.clock == "this computer's clock"
    assert gate.first is not None
    assert abs((gate.first - datetime.now(UTC)).total_seconds()) < 60
    assert gate.picture is not None
    assert gate.picture.is_file()
    assert yard.error is not None
    shown = printed(probe_table([gate, yard], config))
    assert "rtsp://***@127.0.0.1" in shown
    assert "hunter2" not in shown
    assert "s3cr3t" not in shown


def test_a_dead_and_a_hung_camera_get_one_line_each_and_the_others_go_on(
    tmp_path: Path, clip: Path, silent_port: int
) -> None:
    broken = tmp_path / "broken_20260302_070000.mp4"
    broken.write_bytes(clip.read_bytes()[:200])
    unnamed = tmp_path / "unnamed.mp4"
    unnamed.write_bytes(clip.read_bytes())
    with socket.create_server(("127.0.0.1", 0)) as closed:
        dead_port = closed.getsockname()[1]
    config = load(
        write(
            tmp_path,
            f"  - {{id: dead, source: 'rtsp://127.0.0.1:{dead_port}/main'}}\n"
            f"  - {{id: hung, source: 'rtsp://127.0.0.1:{silent_port}/main'}}\n"
            f"  - {{id: broken, source: {broken}}}\n"
            f"  - {{id: unnamed, source: {unnamed}}}\n"
            f"  - {{id: off, enabled: false, source: {clip}}}\n"
            f"  - {{id: gate, source: {clip}}}\n",
        )
    )
    heard: list[str] = []
    began = time.monotonic()
    found = {
        one.camera: one for one in probe(config, tmp_path, timeout=3, on_camera=lambda one: heard.append(one.camera))
    }
    assert time.monotonic() - began < 10
    assert list(found) == ["dead", "hung", "broken", "unnamed", "gate"], "in the order of the file, none that is off"
    assert sorted(heard) == sorted(found)
    assert found["gate"].error is None
    for camera in ("dead", "hung", "broken", "unnamed"):
        error = found[camera].error
        assert error is not None
        assert "\n" not in error
        assert found[camera].picture is None
    assert found["hung"].error == "gave no picture within 3 s"
    assert "nothing listens there" in str(found["dead"].error)
    assert "header is lost" in str(found["broken"].error)
    assert "cannot tell when this recording begins" in str(found["unnamed"].error)


def test_a_picture_that_cannot_be_written_is_told(tmp_path: Path, clip: Path) -> None:
    (tmp_path / "gate.jpg").mkdir()
    found = probe_one(load(write(tmp_path, f"  - {{id: gate, source: {clip}}}\n")), tmp_path)
    assert found.error == f"its picture cannot be written to {tmp_path}/gate.jpg: Is a directory"


def test_places_are_drawn_where_they_are() -> None:
    camera = CameraConfig.model_validate(
        {
            "id": "gate",
            "source": "rtsp://10.0.0.1/main",
            "zones": [{"id": "square", "polygon": [[0, 0.5], [0.4, 0.5], [0.4, 1], [0, 1]]}],
            "lanes": [
                {
                    "id": "north",
                    "polygon": [[0.6, 0.1], [0.9, 0.1], [0.9, 0.9], [0.6, 0.9]],
                    "direction": [[0.75, 0.9], [0.75, 0.1]],
                }
            ],
            "ground": {
                "points": [[0.1, 0.9], [0.3, 0.9], [0.3, 0.7], [0.1, 0.7]],
                "metres": [[0, 0], [8, 0], [8, 20], [0, 20]],
            },
        }
    )
    blank = np.full((1000, 1000, 3), 90, np.uint8)
    drawn = draw(blank, camera, "1000x1000")
    assert (blank == 90).all(), "the picture given is left as it was"
    assert drawn.shape == blank.shape
    assert tuple(drawn[990, 380]) != (90, 90, 90), "inside the zone"
    assert tuple(drawn[300, 300]) == (90, 90, 90), "outside of everything"
    for colour, (left, top, right, bottom) in (
        (ZONE_COLOUR, (395, 700, 405, 800)),
        (LANE_COLOUR, (740, 300, 760, 400)),
        (GROUND_COLOUR, (95, 690, 105, 710)),
    ):
        assert (drawn[top:bottom, left:right] == colour).all(axis=2).any()
    head, tail = ((drawn[y : y + 40, 700:800] == LANE_COLOUR).all(axis=2).sum() for y in (105, 700))
    assert head > tail, "the arrow points the lawful way"


class TestReport:
    def test_a_good_file(self, tmp_path: Path, clip: Path) -> None:
        report = check(write(tmp_path, f"  - {{id: gate, source: {clip}}}\n"), {}, DataFolder.resolve(tmp_path))
        assert report.good
        assert printed(report) == f"{tmp_path}/streams.yaml: good; 1 camera, 0 rules\n"

    def test_all_problems_with_their_number(self, tmp_path: Path) -> None:
        file = write(tmp_path, "  - {id: gate, source: 'rtsp://h/x', rate: 0, detectors: [rod-nano]}\n")
        report = check(file, {}, DataFolder.resolve(tmp_path))
        assert not report.good
        assert report.config is None
        assert printed(report) == (
            f"{file}:4:44: cameras[0].rate: found 0; a number above 0 is needed\n"
            f"{file}:4:59: cameras[0].detectors[0]: found 'rod-nano'; no such model (did you mean 'road-nano'?); "
            "there are road-nano, hazard-nano\n2 problems\n"
        )

    def test_a_rule_without_a_detector_that_feeds_it(self, tmp_path: Path) -> None:
        file = write(tmp_path, "  - {id: gate, source: 'rtsp://h/x', rules: [{kind: fire}]}\n")
        (problem,) = check(file, {}, DataFolder.resolve(tmp_path)).problems
        assert problem.field == "cameras[0].rules[0].kind"
        assert "it needs a detector of fire or smoke; road-nano knows" in problem.message

    def test_a_provider_that_is_not_installed(self, tmp_path: Path, clip: Path) -> None:
        import onnxruntime  # noqa: PLC0415

        if "TensorrtExecutionProvider" in onnxruntime.get_available_providers():
            pytest.skip("TensorRT is installed here")
        file = write(tmp_path, f"  - {{id: gate, source: {clip}}}\n", "inference: {provider: tensorrt}")
        report = check(file, {}, DataFolder.resolve(tmp_path))
        assert not report.good
        assert report.config is not None
        assert "tensorrt" in printed(report)
        assert printed(report).endswith("1 problem\n")

from __future__ import annotations

import hashlib
import resource
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from pipeline.detectors import load_detector
from pipeline.detectors.fetch import ATTEMPTS, add, pull
from pipeline.detectors.manifest import Entry, Manifest, Model, added_folder
from pipeline.detectors.session import Runtime
from pipeline.errors import ModelError
from pipeline.paths import DataFolder
from tests.detectors.networks import save_constant

CONTENT = np.random.default_rng(0).bytes(700_000)
EMBEDDED = Path(__file__).parents[2] / "models"


class Release(ThreadingHTTPServer):
    """A server of one file that breaks off after `breaks` bytes of each answer, as often as told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = CONTENT
        self.breaks: list[int] = []
        self.ranges = True
        self.status = 200
        self.requests: list[str | None] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/release/net.onnx"


class Handler(BaseHTTPRequestHandler):
    server: Release

    def do_GET(self) -> None:
        server = self.server
        asked = self.headers["Range"]
        server.requests.append(asked)
        if server.status != 200:
            self.send_error(server.status)
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and server.ranges else 0
        if start >= len(server.content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(server.content)}")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(server.content) - start))
        self.end_headers()
        length = server.breaks.pop(0) if server.breaks else len(server.content)
        self.wfile.write(server.content[start : start + length])

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def release() -> Iterator[Release]:
    server = Release()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path / "data")


def model_at(url: str, data: DataFolder, content: bytes = CONTENT) -> Model:
    entry = Entry(
        name="net", family="yolo", url=url, sha256=hashlib.sha256(content).hexdigest(), size=(64, 64), classes=("a",)
    )
    return Model(entry, added_folder(data) / "net.onnx", "added")


def test_a_model_is_fetched_with_progress_and_only_once(release: Release, data: DataFolder) -> None:
    model = model_at(release.url, data)
    seen: list[tuple[int, int | None]] = []
    assert pull(model, progress=lambda there, total: seen.append((there, total))) == model.path
    assert model.path.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT)) and seen == sorted(seen)
    assert list(model.path.parent.iterdir()) == [model.path]
    pull(model)
    assert len(release.requests) == 1


def test_a_transfer_that_breaks_off_goes_on_where_it_stopped(release: Release, data: DataFolder) -> None:
    release.breaks = [200_000, 300_000]
    model = model_at(release.url, data)
    pull(model, pause=0.01)
    assert model.path.read_bytes() == CONTENT
    assert release.requests == [None, "bytes=200000-", "bytes=500000-"]


def test_a_later_call_goes_on_after_giving_up(release: Release, data: DataFolder) -> None:
    release.breaks = [50_000] * ATTEMPTS
    model = model_at(release.url, data)
    with pytest.raises(ModelError, match=r"broke off 5 times, 250000 bytes are kept.*matthan models pull net"):
        pull(model, pause=0.001)
    assert not model.present
    pull(model)
    assert model.path.read_bytes() == CONTENT and release.requests[-1] == "bytes=250000-"


def test_a_server_without_ranges_starts_over(release: Release, data: DataFolder) -> None:
    release.ranges, release.breaks = False, [200_000]
    model = model_at(release.url, data)
    pull(model, pause=0.001)
    assert model.path.read_bytes() == CONTENT


def test_a_part_of_another_file_is_dropped(release: Release, data: DataFolder) -> None:
    model = model_at(release.url, data)
    part = model.path.with_name("net.onnx.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 1000)
    pull(model)
    assert model.path.read_bytes() == CONTENT
    model.path.unlink()
    part.write_bytes(b"x" * (len(CONTENT) + 5))
    pull(model, pause=0.001)
    assert model.path.read_bytes() == CONTENT


def test_a_whole_part_only_needs_its_name(release: Release, data: DataFolder) -> None:
    model = model_at(release.url, data)
    part = model.path.with_name("net.onnx.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT)
    pull(model)
    assert model.path.read_bytes() == CONTENT and not part.exists()


def test_another_file_at_the_url_is_refused_and_not_kept(release: Release, data: DataFolder) -> None:
    release.content = CONTENT[:-1] + b"?"
    model = model_at(release.url, data)
    with pytest.raises(ModelError, match=r"not the file of the manifest: SHA-256 is .*nothing was kept"):
        pull(model)
    assert list(model.path.parent.iterdir()) == []


@pytest.mark.parametrize("status", [404, 403])
def test_a_refusal_is_told_at_once(release: Release, data: DataFolder, status: int) -> None:
    release.status = status
    with pytest.raises(ModelError, match=rf"/release/net\.onnx: the server answers {status}"):
        pull(model_at(release.url, data))
    assert len(release.requests) == 1


def test_a_server_in_trouble_is_asked_again(release: Release, data: DataFolder) -> None:
    release.status = 503
    with pytest.raises(ModelError, match="the server answers 503"):
        pull(model_at(release.url, data), pause=0.001)
    assert len(release.requests) == ATTEMPTS


def test_no_server_at_all(data: DataFolder) -> None:
    with pytest.raises(ModelError, match=r"broke off 5 times, 0 bytes are kept.*refused"):
        pull(model_at("http://127.0.0.1:9/net.onnx", data), pause=0.001)


def test_a_full_disk_is_told_and_what_is_there_is_kept(release: Release, data: DataFolder) -> None:
    """A limit on the size of files fails writes as a full disk does."""
    model = model_at(release.url, data)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, before[1]))
    try:
        with pytest.raises(ModelError, match=r"net\.onnx\.part: cannot be written: File too large"):
            pull(model)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    pull(model)
    assert model.path.read_bytes() == CONTENT
    assert release.requests[-1] is not None


def test_an_embedded_model_is_there_already(data: DataFolder) -> None:
    model = Manifest.load(data).find("road-nano")
    assert pull(model) == model.path
    missing = Model(model.entry, data.root / "road-nano.onnx", "embedded")
    with pytest.raises(ModelError, match="'road-nano' has no URL to fetch it from"):
        pull(missing)


def test_a_nanodet_file_is_recognised_added_and_loaded(data: DataFolder) -> None:
    model = add(EMBEDDED / "hazard-nano.onnx", data, name="my-hazard", threshold=0.4)
    assert (model.family, model.classes) == ("nanodet", ("fire", "smoke", "plate"))
    assert model.entry.licence == "Apache-2.0"
    again = Manifest.load(data).find("my-hazard")
    assert again == model
    detector = load_detector("my-hazard", runtime=Runtime(threads=1), data=data)
    assert detector.sha256 == model.sha256 and detector.detect([np.zeros((96, 96, 3), np.uint8)])[0].labels.size == 0


def test_a_yolo_file_is_recognised_and_named_after_itself(tmp_path: Path, data: DataFolder) -> None:
    metadata = {"task": "detect", "stride": "32", "imgsz": "[192, 320]", "names": "{0: 'boat', 1: 'ferry'}"}
    path = save_constant(
        tmp_path / "Harbour V2.onnx", {"output0": np.zeros((1, 6, 1260), np.float32)}, metadata=metadata
    )
    add(path, data)
    path.unlink()
    add(EMBEDDED / "hazard-nano.onnx", data, name="second", classes=("flame", "smoke", "plate"))
    models = Manifest.load(data)
    boats = models.find("harbour-v2")
    assert (boats.family, boats.width, boats.height, boats.classes) == ("yolo", 320, 192, ("boat", "ferry"))
    assert load_detector("harbour-v2", runtime=Runtime(threads=1), data=data).classes == ("boat", "ferry")
    assert models.find("second").classes == ("flame", "smoke", "plate")


def test_a_file_without_metadata_needs_family_and_classes(tmp_path: Path, data: DataFolder) -> None:
    path = save_constant(
        tmp_path / "plain.onnx", {"output": np.zeros((1, 6300, 7), np.float32)}, shape=(1, 3, 320, 320)
    )
    with pytest.raises(ModelError, match="does not tell the family: give one of nanodet, yolo"):
        add(path, data)
    with pytest.raises(ModelError, match="names no classes"):
        add(path, data, family="yolo")
    with pytest.raises(ModelError, match="no family is called 'yolox': known are nanodet, yolo"):
        add(path, data, family="yolox")
    model = add(path, data, family="yolo", classes=("car", "truck"))
    assert (model.width, model.height) == (320, 320)


def test_what_does_not_load_is_not_added(tmp_path: Path, data: DataFolder) -> None:
    path = save_constant(tmp_path / "odd.onnx", {"output": np.zeros((1, 9, 7), np.float32)}, shape=(1, 3, 320, 320))
    with pytest.raises(ModelError, match=r"odd\.onnx: expected one output"):
        add(path, data, family="yolo", classes=("car",))
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(ModelError, match=r"text\.onnx: not a model"):
        add(tmp_path / "text.onnx", data)
    with pytest.raises(ModelError, match=r"none\.onnx: no such file"):
        add(tmp_path / "none.onnx", data)
    with pytest.raises(ModelError, match="a model is called 'road-nano' already"):
        add(EMBEDDED / "road-nano.onnx", data)
    assert not added_folder(data).exists()

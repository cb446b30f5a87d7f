from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

from pipeline.detectors.fetch import add, pull
from pipeline.detectors.manifest import Manifest, added_folder, digest
from pipeline.detectors.plates import load_plate_reader
from pipeline.detectors.session import Runtime
from pipeline.errors import ModelError
from pipeline.paths import DataFolder
from tests.detectors.plates.drawing import plate, vehicle
from tests.detectors.plates.networks import PLATE, save_localiser, save_recogniser

RUNTIME = Runtime(threads=1)


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path / "data").create()


def register(data: DataFolder, *models: dict[str, Any]) -> None:
    folder = added_folder(data)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "manifest.yaml").open("w") as file:
        YAML().dump({"models": list(models)}, file)


def recogniser(data: DataFolder, text: str, name: str = "cct", **made: bool) -> dict[str, Any]:
    """A manifest entry for a recogniser that reads `text`, its weights in place."""
    folder = added_folder(data)
    folder.mkdir(parents=True, exist_ok=True)
    path = save_recogniser(folder / f"{name}.onnx", text, **made)
    return {
        "name": name,
        "task": "plate text",
        "family": "fast-plate-ocr",
        "file": path.name,
        "sha256": digest(path),
        "plate": PLATE,
    }


def localiser(data: DataFolder, rows: list[list[float]]) -> dict[str, Any]:
    folder = added_folder(data)
    folder.mkdir(parents=True, exist_ok=True)
    path = save_localiser(folder / "finder.onnx", rows)
    return {
        "name": "finder",
        "family": "yolo",
        "file": path.name,
        "sha256": digest(path),
        "size": [384, 384],
        "classes": ["License Plate"],
    }


@pytest.mark.parametrize("made", [{}, {"region": False}, {"flat": True}, {"first": True}])
def test_a_plate_is_read_whole_under_the_grammar(data: DataFolder, made: dict[str, bool]) -> None:
    register(data, recogniser(data, "59E119283", "cct", **made))
    reader = load_plate_reader("vn", RUNTIME, recogniser="cct", data=data)
    found = reader.read([vehicle(["59-E1", "192.83"])])[0]
    assert found is not None
    assert (found.text, found.raw, found.format) == ("59E119283", "59E119283", "motorbike")
    assert found.confidence > 0.8
    assert reader.models["cct"] == digest(added_folder(data) / "cct.onnx")


@pytest.mark.parametrize(("raw", "text"), [("5IF446I4", "51F44614"), ("30E11111", "30E11111"), ("METRO", None)])
def test_slots_are_decoded_like_lines(data: DataFolder, raw: str, text: str | None) -> None:
    register(data, recogniser(data, raw))
    found = load_plate_reader("vn", RUNTIME, recogniser="cct", data=data).read([vehicle(["51F-446.14"])])[0]
    assert found is not None
    assert (found.raw, found.text) == (raw, text)


def test_a_dark_plate_in_a_bright_company_is_read_as_alone(data: DataFolder) -> None:
    register(data, recogniser(data, "75A26819"))
    reader = load_plate_reader("vn", RUNTIME, recogniser="cct", data=data)
    dark = np.asarray(plate(["75A-268.19"], 80) * 0.2, np.uint8)
    texts = [one.text if one else None for one in reader.read_plates([plate(["75A-268.19"], 80), dark])]
    assert texts[0] == "75A26819"
    assert texts[1] is None


def test_a_localiser_of_open_image_models_finds_the_plate(data: DataFolder) -> None:
    picture = vehicle(["51F-446.14"])
    height, width = picture.shape[:2]
    side = max(height, width)
    box = np.array([0.3 * width, 0.5 * height, 0.7 * width, 0.7 * height]) * 384 / side
    across, down = (384 - 384 * width / side) / 2, (384 - 384 * height / side) / 2
    placed = box + np.array([across, down, across, down])
    register(data, localiser(data, [[0, *placed, 0, 0.9], [0, 10, 10, 40, 20, 0, 0.01]]))
    reader = load_plate_reader("vn", RUNTIME, localiser="finder", data=data)
    found = reader.read([picture, picture])
    assert all(one is not None for one in found)
    wanted = (0.3 * width, 0.5 * height, 0.7 * width, 0.7 * height)
    assert [one.box for one in found if one] == [pytest.approx(wanted, abs=1.5)] * 2
    assert set(reader.models) >= {"finder"}


def test_wrong_models_are_told(data: DataFolder) -> None:
    folder = added_folder(data)
    other = recogniser(data, "75A26819", "other") | {"plate": {**PLATE, "max_plate_slots": 9}}
    grey = recogniser(data, "75A26819", "grey") | {"plate": {**PLATE, "image_color_mode": "grayscale"}}
    odd = recogniser(data, "75A26819", "odd") | {"family": "yolo"}
    register(data, recogniser(data, "75A26819"), other, grey, odd)
    for settings, message in [
        (
            {"recogniser": "other"},
            r"other\.onnx: expected 9 slots of 37 signs, by the manifest's `plate`; output 'plate'",
        ),
        ({"recogniser": "grey"}, r"expected one input, uint8 or float \['N', 64, 128, 1\], by the manifest's `plate`"),
        ({"recogniser": "odd"}, "of family 'yolo': recognisers of plates are of fast-plate-ocr"),
        ({"recogniser": "road-nano"}, "model 'road-nano' is a detector, no recogniser of plates"),
        ({"recogniser": "ccd"}, "no model is called 'ccd': did you mean 'cct'"),
        ({"localiser": "cct"}, "model 'cct' reads the text of plates: it is no detector"),
        ({"localiser": "road-nano"}, "'road-nano' cannot find plates: it knows person, bicycle, .* and no plate"),
    ]:
        with pytest.raises(ModelError, match=message):
            load_plate_reader("vn", RUNTIME, data=data, **settings)
    (folder / "cct.onnx").write_bytes(b"altered")
    with pytest.raises(ModelError, match="not the weights of model 'cct'"):
        load_plate_reader("vn", RUNTIME, recogniser="cct", data=data)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"plate": {**PLATE, "pad_char": "?"}}, r"pad_char '\?' is not in the alphabet"),
        ({"plate": {**PLATE, "heads": 2}}, "heads: Extra inputs are not permitted"),
        ({"plate": None}, "a model for plate text has plate"),
        ({"task": "detection"}, "a detection model has size and classes"),
    ],
)
def test_a_wrong_manifest_is_told(data: DataFolder, change: dict[str, Any], message: str) -> None:
    register(data, recogniser(data, "75A26819") | change)
    with pytest.raises(ModelError, match=message):
        Manifest.load(data)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    folder = tmp_path / "release"
    folder.mkdir()

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_weights_with_a_url_are_fetched(data: DataFolder, served: tuple[Path, str]) -> None:
    folder, url = served
    entry = recogniser(data, "75A26819")
    shutil.move(added_folder(data) / "cct.onnx", folder / "cct.onnx")
    register(data, {key: value for key, value in entry.items() if key != "file"} | {"url": f"{url}/cct.onnx"})
    with pytest.raises(ModelError, match="fetch it with  matthan models pull cct"):
        load_plate_reader("vn", RUNTIME, recogniser="cct", data=data)
    pull(Manifest.load(data).find("cct"), pause=0)
    found = load_plate_reader("vn", RUNTIME, recogniser="cct", data=data).read([vehicle(["75A-268.19"])])[0]
    assert found is not None
    assert found.text == "75A26819"


def test_a_recogniser_is_added_with_its_plate_config(data: DataFolder, tmp_path: Path) -> None:
    network, config = save_recogniser(tmp_path / "Mine.onnx", "75A26819"), tmp_path / "config.yaml"
    with config.open("w") as file:
        YAML().dump(PLATE, file)
    assert add(network, data, plate=config).name == "mine"
    found = load_plate_reader("vn", RUNTIME, recogniser="mine", data=data).read([vehicle(["75A-268.19"])])[0]
    assert found is not None
    assert found.text == "75A26819"
    with config.open("w") as file:
        YAML().dump({**PLATE, "alphabet": "AB_"}, file)
    with pytest.raises(ModelError, match="expected 10 slots of 3 signs"):
        add(network, data, name="other", plate=config)
    config.write_text("[")
    with pytest.raises(ModelError, match=r"config\.yaml: cannot be read as a plate config"):
        add(network, data, name="other", plate=config)

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.detectors import Runtime, families, load_detector
from pipeline.detectors.family import Family
from pipeline.errors import ModelError, PluginError, ProviderError
from pipeline.paths import DataFolder

OURS = Family(load=lambda *_: pytest.fail("not loaded here"), describe=lambda _: None)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lays down what an installer leaves of a package that has an entry point."""

    def installed(name: str, value: str) -> None:
        package = tmp_path / "site" / "ours-1.0.dist-info"
        package.mkdir(parents=True)
        (package / "METADATA").write_text("Metadata-Version: 2.1\nName: ours\nVersion: 1.0\n")
        (package / "entry_points.txt").write_text(f"[matthan.detectors]\n{name} = {value}\n")
        monkeypatch.syspath_prepend(tmp_path / "site")

    families.cache_clear()
    yield installed
    families.cache_clear()


def test_a_plugin_brings_a_family(install: Any) -> None:
    install("ours", f"{__name__}:OURS")
    assert set(families()) == {"nanodet", "yolo", "ours"}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("gone", "no_such_package.detectors:FAMILY", r"'gone' \(no_such_package\.detectors:FAMILY\) does not load: No"),
        ("odd", f"{__name__}:install", "is no Family"),
        ("yolo", f"{__name__}:OURS", "'yolo' .*: that family is already there"),
    ],
)
def test_a_plugin_that_does_not_fit_stops_the_start_with_its_name(
    install: Any, name: str, value: str, message: str
) -> None:
    install(name, value)
    with pytest.raises(PluginError, match=message):
        load_detector("road-nano")


def test_the_embedded_detector_says_what_it_is(tmp_path: Path) -> None:
    detector = load_detector("road-nano", runtime=Runtime(threads=1), data=DataFolder(tmp_path))
    assert detector.name == "road-nano"
    assert detector.classes == ("person", "bicycle", "motorcycle", "car", "bus", "truck")
    assert detector.sha256 == "403ebdc10ed0e81392bca4d5e72a6769e68dba1450aa39815a4fb09a1aef63f4"


def test_errors_name_the_model(tmp_path: Path) -> None:
    data = DataFolder(tmp_path)
    with pytest.raises(ModelError, match="no model is called 'yolov8n'"):
        load_detector("yolov8n", data=data)
    with pytest.raises(ProviderError, match="provider"):
        load_detector("road-nano", runtime=Runtime("quantum"), data=data)  # type: ignore[arg-type]
    (tmp_path / "cache/models").mkdir(parents=True)
    (tmp_path / "cache/models/manifest.yaml").write_text(
        f"models:\n  - {{name: odd, family: detr, file: odd.onnx, sha256: {'a' * 64}, size: [64, 64], classes: [a]}}\n"
    )
    with pytest.raises(ModelError, match="'odd' is of family 'detr': known are nanodet, yolo"):
        load_detector("odd", data=data)

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.detectors.manifest import Manifest, added_folder, digest, read, verify
from pipeline.errors import ModelError
from pipeline.paths import DataFolder

ENTRY = f"""\
  - name: mine
    family: yolo
    file: mine.onnx
    sha256: {"a" * 64}
    size: [640, 384]
    classes: [boat]
"""


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path / "data")


def write(data: DataFolder, text: str) -> Path:
    path = added_folder(data) / "manifest.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_the_embedded_models_are_there_and_whole(data: DataFolder) -> None:
    models = {model.name: model for model in Manifest.load(data)}
    assert set(models) >= {"road-nano", "hazard-nano"}
    for model in models.values():
        assert model.origin == "embedded"
        if model.entry.file:
            verify(model)
        card = model.path.with_suffix(".md").read_text("utf-8")
        assert model.sha256 in card and model.entry.licence in card
    assert models["hazard-nano"].classes == ("fire", "smoke", "plate")


def test_the_users_models_are_added(data: DataFolder) -> None:
    write(data, "models:\n" + ENTRY)
    mine = Manifest.load(data).find("mine")
    assert (mine.origin, mine.width, mine.height, mine.classes) == ("added", 640, 384, ("boat",))
    assert mine.path == added_folder(data) / "mine.onnx" and not mine.present


def test_fetched_models_lie_in_the_data_folder_by_version(data: DataFolder) -> None:
    write(data, "models:\n" + ENTRY.replace("file: mine.onnx", "url: https://models.example/mine.onnx"))
    assert Manifest.load(data).find("mine").path == added_folder(data) / "mine-aaaaaaaaaaaa.onnx"


def test_an_unknown_name_gets_the_nearest(data: DataFolder) -> None:
    with pytest.raises(
        ModelError, match="no model is called 'road-nana': did you mean 'road-nano'\\? known are road-nano"
    ):
        Manifest.load(data).find("road-nana")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("models: [", "cannot be read as a manifest"),
        ("", "Input should be"),
        ("models:\n" + ENTRY.replace("aaaa", "AAAA", 1), r"models\.0\.sha256: String should match"),
        ("models:\n" + ENTRY.replace("file: mine.onnx", "file: ../../mine.onnx"), r"models\.0\.file"),
        ("models:\n" + ENTRY + "    url: https://models.example/x.onnx\n", "file or as url, one of them"),
        ("models:\n" + ENTRY + "    threshold: {ship: 0.3}\n", "one number, or one for each of boat"),
        ("models:\n" + ENTRY + "    threshold: 1.5\n", r"models\.0\.threshold"),
        ("models:\n" + ENTRY + "    colour: red\n", r"models\.0\.colour: Extra inputs"),
        ("models:\n" + ENTRY + ENTRY, "'mine' is there twice"),
        ("models:\n" + ENTRY.replace("name: mine", "name: road-nano"), "'road-nano' is there twice or is an embedded"),
    ],
)
def test_a_wrong_manifest_names_file_and_field(data: DataFolder, text: str, message: str) -> None:
    path = write(data, text)
    with pytest.raises(ModelError, match=message) as caught:
        Manifest.load(data)
    assert str(path) in str(caught.value)


def test_a_manifest_that_is_not_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "manifest.yaml"
    path.write_bytes(b"\xff\xfe\x00models")
    with pytest.raises(ModelError, match="cannot be read as a manifest"):
        read(path)


def test_altered_and_missing_weights_are_told_apart(data: DataFolder) -> None:
    write(data, "models:\n" + ENTRY)
    mine = Manifest.load(data).find("mine")
    with pytest.raises(ModelError, match=r"mine\.onnx: the weights of model 'mine' are missing"):
        verify(mine)
    mine.path.write_bytes(b"other")
    with pytest.raises(ModelError, match=f"SHA-256 is {digest(mine.path)}, the manifest says {'a' * 64}"):
        verify(mine)

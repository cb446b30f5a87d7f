"""Every bad streams.yaml in bad_streams/ is told exactly as the text beside it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config import load
from pipeline.errors import ConfigError

FOLDER = Path(__file__).parent / "bad_streams"
FILES = sorted(FOLDER.glob("*.yaml"))
SECRET = "hunter2"
ENVIRONMENT = {"CAM_USER": SECRET, "CAM_PASSWORD": SECRET, "EMPTY": ""}
MODELS = {
    "road-nano": ("person", "bicycle", "motorcycle", "car", "bus", "truck"),
    "hazard-nano": ("fire", "smoke", "plate"),
}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_fault_is_told_exactly(file: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        load(file, ENVIRONMENT, MODELS)
    told = str(raised.value).replace(f"{FOLDER}/", "")
    assert told == file.with_suffix(".txt").read_text("utf-8").rstrip("\n")
    assert SECRET not in told
    places = [(problem.line, problem.column) for problem in raised.value.problems]
    assert places == sorted(places), "in file order"
    assert {problem.file for problem in raised.value.problems} == {str(file)}


def test_there_are_many_bad_files() -> None:
    assert len(FILES) >= 30


def test_no_validation_error_with_inputs_hides_behind_the_config_error() -> None:
    with pytest.raises(ConfigError) as raised:
        load(FOLDER / "address.yaml", ENVIRONMENT)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere.yaml", "there is no such file"),
        ("", "is a folder; name the file in it, as in streams.yaml"),
        ("nul\0.yaml", "is no file name"),
        ("x" * 300, "cannot be read: File name too long"),
    ],
    ids=["missing", "folder", "no name", "too long"],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load(tmp_path / name)
    assert str(raised.value) == f"{tmp_path / name}: {message}"


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "streams.yaml"
    file.write_bytes(b"#" * (16 * 1024 * 1024 + 1))
    with pytest.raises(ConfigError, match="is larger than 16 MiB"):
        load(file)

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import EvidenceError
from pipeline.evidence import find_packages, report, verify_package
from pipeline.evidence.manifest import canonical, opened, sealed

from ..servers.clips import make_clip
from .makers import ID, play
from .test_recorder import FOLDER, recorder


@pytest.fixture
def package(tmp_path: Path) -> Path:
    play(make_clip(tmp_path / "clip.mp4", frames=125, gop=25), recorder(tmp_path / "evidence"))
    return tmp_path / "evidence" / FOLDER


def faults(package: Path) -> list[str]:
    return [str(fault) for fault in verify_package(package)]


def test_one_changed_bit_is_named_in_whatever_file(package: Path) -> None:
    for path in sorted(package.iterdir()):
        data = path.read_bytes()
        for position in {0, len(data) // 3, len(data) // 2, len(data) - 1}:
            changed = bytearray(data)
            changed[position] ^= 1
            path.write_bytes(changed)
            (fault,) = verify_package(package)
            assert fault.file == path.name
            assert "was changed" in fault.reason or "is not JSON" in fault.reason or "is not a manifest" in fault.reason
        path.write_bytes(data)
    assert faults(package) == []


def test_missing_longer_and_foreign_files_are_named(package: Path) -> None:
    (package / "still.jpg").unlink()
    with (package / "trace.json").open("ab") as file:
        file.write(b" ")
    (package / "notes.txt").write_text("x")
    (package / "deeper").mkdir()
    size = (package / "trace.json").stat().st_size
    assert faults(package) == [
        "still.jpg: is missing",
        f"trace.json: was changed: it has {size} bytes, the manifest says {size - 1}",
        "deeper: does not belong to the package",
        "notes.txt: does not belong to the package",
    ]


def test_a_link_in_place_of_a_file_is_named(package: Path, tmp_path: Path) -> None:
    (package / "still.jpg").rename(tmp_path / "elsewhere.jpg")
    (package / "still.jpg").symlink_to(tmp_path / "elsewhere.jpg")
    assert faults(package) == ["still.jpg: is not a plain file"]


def test_without_a_manifest_nothing_is_certain(package: Path) -> None:
    (package / "manifest.json").unlink()
    assert faults(package) == ["manifest.json: is missing, so that nothing in this folder can be verified"]


def changed_file(name: str, value: object) -> Callable[[dict[str, Any]], None]:
    return lambda fields: fields["files"][0].__setitem__(name, value)


TAMPERED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a file above the package": (changed_file("name", "../../secret"), "which is no plain file name in the package"),
    "an absolute file": (changed_file("name", "/etc/passwd"), "which is no plain file name in the package"),
    "a hidden file": (changed_file("name", ".."), "which is no plain file name in the package"),
    "a Windows path": (changed_file("name", "a\\b"), "which is no plain file name in the package"),
    "the manifest itself": (changed_file("name", "manifest.json"), "which is no plain file name in the package"),
    "a file twice": (lambda fields: fields["files"].append(fields["files"][0]), "names a file twice"),
    "a size that is no number": (changed_file("size", "12"), "files[0].size has the wrong type (str)"),
    "a size that is a truth": (changed_file("size", True), "files[0].size has the wrong type (bool)"),
    "no hash": (lambda fields: fields["files"][0].pop("sha256"), "lacks files[0].sha256"),
    "a file that is a text": (lambda fields: fields["files"].__setitem__(0, "x"), "lacks files[0].name"),
    "no files": (lambda fields: fields.pop("files"), "lacks files"),
    "one more field": (lambda fields: fields.__setitem__("extra", 1), "holds the unknown field extra"),
    "another format": (lambda fields: fields.__setitem__("format", "x/9"), "is not a manifest of format"),
}


@pytest.mark.parametrize("case", TAMPERED)
def test_a_manifest_sealed_anew_by_someone_else_must_still_make_sense(package: Path, case: str) -> None:
    change, complaint = TAMPERED[case]
    fields = json.loads((package / "manifest.json").read_bytes())
    change(fields)
    (package / "manifest.json").write_bytes(sealed(fields))
    (fault,) = faults(package)
    assert fault.startswith("manifest.json: ")
    assert complaint in fault


def nested(depth: int) -> bytes:
    return b'{"format": "matthan-evidence/1", "files": ' + b"[" * depth + b"]" * depth + b"}"


@pytest.mark.parametrize("depth", [300, 900, 990, 5_000, 100_000])
def test_a_deeply_nested_manifest_is_a_fault(tmp_path: Path, depth: int) -> None:
    (tmp_path / "manifest.json").write_bytes(nested(depth))
    (fault,) = faults(tmp_path)
    assert "is nested too deeply" in fault or "was changed" in fault


def test_the_command_goes_on_after_a_hostile_package(package: Path) -> None:
    hostile = package.with_name("00000000-0000-0000-0000-000000000000")
    hostile.mkdir()
    (hostile / "manifest.json").write_bytes(nested(900))
    code = "from pipeline.cli import app; app()"
    command = [sys.executable, "-c", code, "verify", str(package.parents[2])]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"{hostile}: 1 fault" in done.stdout
    assert f"{package}: whole" in done.stdout


def test_swapped_packages_show(package: Path) -> None:
    other = package.rename(package.with_name("00000000-0000-0000-0000-000000000000"))
    assert faults(other) == [f"manifest.json: is that of violation {ID}, in the folder of another"]
    assert faults(other.rename(other.with_name("for the court"))) == []


def test_a_time_that_was_changed_shows(package: Path) -> None:
    manifest = package / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b"16:59:52", b"16:59:53"))
    assert faults(package) == ["manifest.json: was changed: its digest does not fit its content"]


def test_a_package_rewritten_as_a_whole_shows_by_the_recorded_hash(package: Path) -> None:
    recorded = hashlib.sha256((package / "manifest.json").read_bytes()).hexdigest()
    fields = json.loads((package / "manifest.json").read_bytes())
    (package / "manifest.json").write_bytes(sealed({**fields, "start": fields["peak"]}))
    assert verify_package(package) == []
    assert [str(fault) for fault in verify_package(package, recorded)] == [
        "manifest.json: was changed: it is not the manifest that was recorded"
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300) | st.text(max_size=80).map(str.encode) | st.just(b"[" * 100_000))
def test_no_manifest_breaks_the_verifier(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "manifest.json").write_bytes(data)
    assert len(verify_package(tmp_path)) == 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(json_values)
def test_canonical_json_is_read_back_and_written_the_same(value: object) -> None:
    assert canonical(json.loads(canonical(value))) == canonical(value)


def test_a_sealed_manifest_opens(package: Path) -> None:
    data = (package / "manifest.json").read_bytes()
    assert sealed(opened(data)) == data


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="none: cannot be read"):
        verify_package(tmp_path / "none")
    with pytest.raises(EvidenceError, match="no such folder"):
        find_packages(tmp_path / "none")


def test_packages_are_found_with_and_without_a_manifest(package: Path) -> None:
    lost = package.with_name("00000000-0000-0000-0000-000000000000")
    lost.mkdir()
    assert find_packages(package.parents[2]) == [lost, package]
    assert find_packages(package) == [package]


def test_the_report_is_for_people(package: Path) -> None:
    assert report(package, verify_package(package)) == f"{package}: whole; every file is as it was written"
    (package / "still.jpg").unlink()
    (package / "x").touch()
    assert report(package, verify_package(package)) == (
        f"{package}: 2 faults\n  still.jpg: is missing\n  x: does not belong to the package"
    )


def test_the_verifier_needs_no_video_libraries() -> None:
    code = (
        "import sys; from pipeline.evidence import verify_package;"
        "print(sorted({'av', 'cv2', 'numpy', 'onnxruntime'} & set(sys.modules)))"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert ID.version == 5

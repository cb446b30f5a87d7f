"""Finished packages reach the archive whole, once it is there, and are read from it when they are nowhere else."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic, sleep, time
from uuid import UUID

import numpy as np
import pytest

from pipeline.errors import ArchiveError
from pipeline.evidence import EvidenceRecorder, verify_package
from pipeline.evidence.archive import Archive, EvidenceFiles
from pipeline.frame import Frame
from pipeline.types import Evidence
from pipeline.uploads import Uploads

from .evidence.makers import at, violation

ROOT = Path(__file__).parents[1]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "store" / "evidence"


@pytest.fixture
def archive(place: Path) -> Archive:
    return Archive(place.as_uri())


def package(root: Path, number: int = 0, *, settled: bool = True) -> Evidence:
    """A finished package without a clip."""
    recorder = EvidenceRecorder("gate", root)
    told = violation(Frame("gate", 50, at(2), np.full((120, 160, 3), number, np.uint8)), at(1), at(3))
    object.__setattr__(told, "id", UUID(int=number))
    recorder.record(told)
    (evidence,) = recorder.finish()
    if settled:
        recorder.settled(evidence)
    return evidence


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def age(root: Path, seconds: float) -> None:
    for record in root.glob("gate/.archived/*"):
        os.utime(record, (time() - seconds,) * 2)


def test_a_package_is_copied_as_it_is(tmp_path: Path, place: Path, archive: Archive) -> None:
    evidence = package(tmp_path)
    uploads = Uploads(tmp_path, archive)
    uploads.upload()
    assert verify_package(place / evidence.folder) == []
    assert names(place / evidence.folder) == names(tmp_path / evidence.folder)
    assert (uploads.done, uploads.waiting) == (1, 0)
    uploads.upload()
    Uploads(tmp_path, archive).upload()
    assert uploads.done == 1
    assert (tmp_path / evidence.folder).is_dir()


def test_a_package_that_is_not_finished_or_was_changed_is_not_copied(
    tmp_path: Path, place: Path, archive: Archive, capsys: pytest.CaptureFixture[str]
) -> None:
    package(tmp_path, 0, settled=False)
    changed, whole = package(tmp_path, 1), package(tmp_path, 2)
    (tmp_path / changed.folder / "still.jpg").write_bytes(b"changed")
    Uploads(tmp_path, archive).upload()
    assert [found.name for found in place.glob("gate/*/*")] == [str(whole.violation)]
    assert "still.jpg: was changed" in capsys.readouterr().out


def test_a_package_that_was_written_anew_is_copied_anew(tmp_path: Path, place: Path, archive: Archive) -> None:
    uploads = Uploads(tmp_path, archive)
    evidence = package(tmp_path)
    uploads.upload()
    shutil.rmtree(tmp_path / evidence.folder)
    assert package(tmp_path).folder == evidence.folder
    (place / evidence.folder / "trace.json").write_bytes(b"an older one")
    uploads.upload()
    assert uploads.done == 2
    assert verify_package(place / evidence.folder) == []


def test_packages_wait_for_an_archive_that_is_away(
    tmp_path: Path, place: Path, archive: Archive, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pipeline.uploads.PATIENCE", (0.02, 0.05))
    monkeypatch.setattr("pipeline.uploads.LOOK_SECONDS", 0.05)
    place.parent.write_text("where the store should be")
    evidence = [package(tmp_path, number) for number in range(3)]
    uploads = Uploads(tmp_path, archive)
    uploads.start()
    wait_for(lambda: uploads.away)
    assert uploads.waiting == 3
    sleep(0.2)
    place.parent.unlink()
    wait_for(lambda: uploads.done == 3 and not uploads.away)
    uploads.close()
    assert all(verify_package(place / each.folder) == [] for each in evidence)
    log = capsys.readouterr().out
    assert log.count("evidence waits for the archive") == 1
    assert log.count("the archive is back") == 1


def test_packages_leave_this_machine_and_are_read_from_the_archive(
    tmp_path: Path, place: Path, archive: Archive
) -> None:
    root, cache = tmp_path / "here", tmp_path / "cache"
    evidence = package(root)
    still = next(file for file in evidence.files if file.role == "still")
    picture = (root / evidence.folder / "still.jpg").read_bytes()
    uploads = Uploads(root, archive, local_days=1)
    uploads.upload()
    age(root, 80_000)
    uploads.upload()
    files = EvidenceFiles(root, archive, cache)
    assert files.file(evidence.folder, still) == root / evidence.folder / "still.jpg"
    age(root, 90_000)
    uploads.upload()
    assert not (root / evidence.folder).exists()
    assert list(root.glob("gate/.archived/*")) == []

    kept = files.file(evidence.folder, still)
    assert kept is not None
    assert kept.read_bytes() == picture
    kept.write_bytes(b"x" * len(picture))
    assert (files.file(evidence.folder, still) or kept).read_bytes() == picture
    whole = files.package(evidence.folder, evidence.files)
    assert whole is not None
    assert verify_package(whole) == []
    assert EvidenceFiles(root).file(evidence.folder, still) is None

    (place / evidence.folder / "still.jpg").write_bytes(b"changed")
    shutil.rmtree(cache)
    with pytest.raises(ArchiveError, match=r"still\.jpg is not as it was recorded"):
        files.file(evidence.folder, still)
    archive.delete(evidence.folder)
    archive.delete(evidence.folder)
    assert files.package(evidence.folder, evidence.files) is None


def test_two_may_ask_for_the_same_file_at_once(
    tmp_path: Path, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, cache = tmp_path / "here", tmp_path / "cache"
    evidence = package(root)
    still = next(file for file in evidence.files if file.role == "still")
    picture = (root / evidence.folder / "still.jpg").read_bytes()
    Uploads(root, archive).upload()
    shutil.rmtree(root)
    files, both = EvidenceFiles(root, archive, cache), threading.Barrier(2)
    get_file = archive._files.get_file

    def slowly(place: str, draft: str) -> None:
        get_file(place, draft)
        both.wait(10)
        with Path(draft).open("r+b") as half:  # as it is while the rest is under way
            half.truncate(100)
            both.wait(10)
            half.write(picture)

    monkeypatch.setattr(archive._files, "get_file", slowly)
    with ThreadPoolExecutor(2) as officers:
        found = list(officers.map(lambda _: files.file(evidence.folder, still), range(2)))
    assert found == [cache / evidence.folder / "still.jpg"] * 2
    assert found[0].read_bytes() == picture
    assert names(found[0].parent) == ["still.jpg"]
    assert names(found[0].parents[1]) == [found[0].parent.name]


def test_the_cache_is_bounded(tmp_path: Path, archive: Archive) -> None:
    root, cache = tmp_path / "here", tmp_path / "cache"
    packages = [package(root, number) for number in range(4)]
    Uploads(root, archive).upload()
    shutil.rmtree(root)
    size = sum(file.size for file in packages[0].files)
    files = EvidenceFiles(root, archive, cache, cache_bytes=2 * size)
    for each in packages:
        assert files.package(each.folder, each.files) is not None
    assert sum(path.stat().st_size for path in cache.rglob("*.*") if path.is_file()) < 3 * size
    under_way, left_by_a_kill = cache / "gate" / ".1" / "draft", cache / "gate" / ".2" / "draft"
    for draft in (under_way, left_by_a_kill):
        draft.parent.mkdir()
        draft.write_bytes(bytes(10))
    os.utime(left_by_a_kill, (0, 0))
    assert files.package(packages[0].folder, packages[0].files) is not None
    assert under_way.exists()
    assert not left_by_a_kill.exists()


def test_an_archive_that_cannot_be_is_told_without_its_secrets() -> None:
    with pytest.raises(ArchiveError, match="Protocol not known: nowhere") as told:
        Archive("nowhere://bucket/prefix", {"secret": "hush"})
    assert "hush" not in str(told.value)


def test_an_archive_in_an_object_store_that_goes_away(tmp_path: Path) -> None:
    pytest.importorskip("s3fs", reason="needs s3fs: pip install 'matthan[s3]'")
    pytest.importorskip("moto.server", reason="needs an object store: pip install 'moto[server]'")
    with s3_server() as url:
        options = {"key": "someone", "secret": "hush-hush", "endpoint_url": url}
        import s3fs  # noqa: PLC0415

        s3fs.S3FileSystem(**options, skip_instance_cache=True).mkdir("bucket")
        archive = Archive("s3://bucket/prefix", options)
        evidence = package(tmp_path / "here")
        Uploads(tmp_path / "here", archive).upload()
        shutil.rmtree(tmp_path / "here")
        files = EvidenceFiles(tmp_path / "here", archive, tmp_path / "cache")
        whole = files.package(evidence.folder, evidence.files)
        assert whole is not None
        assert verify_package(whole) == []
    other = package(tmp_path / "here", 7)
    with pytest.raises(ArchiveError) as told:
        archive.put(tmp_path / "here", other.folder)
    assert "hush" not in str(told.value)


class s3_server:  # noqa: N801 - used as a function
    """A real HTTP server that speaks S3, in a process of its own."""

    def __enter__(self) -> str:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for(lambda: _answers(port))
        return f"http://127.0.0.1:{port}"

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(condition: object) -> None:
    assert callable(condition)
    deadline = monotonic() + 30
    while not condition():
        assert monotonic() < deadline, "what was waited for did not come"
        sleep(0.01)

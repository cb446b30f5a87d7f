"""What a killed process left behind, on disk and against a real database."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from pipeline.config import Config, load
from pipeline.evidence import clear_unfinished, recover, verify_package
from pipeline.evidence.manifest import sealed
from pipeline.evidence.recovery import mark_unfinished
from pipeline.frame import Frame
from pipeline.installation import Installation
from pipeline.paths import DataFolder
from pipeline.process import process_mark
from pipeline.spool import hand_on_leftovers
from pipeline.types import Evidence, Findings, Violation

from ..servers.clips import make_clip
from .makers import ID, at, play, violation
from .test_recorder import FOLDER, numbers, recorder, snapshot

STREAMS = Path(__file__).parents[2] / "streams.yaml"


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("footage") / "clip.mp4", frames=200, gop=25)


def told(number: int) -> Violation:
    frame = Frame("gate", 50, at(2), np.zeros((120, 160, 3), np.uint8))
    return replace(violation(frame, at(2)), id=UUID(int=number))


def marks(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "gate" / ".unfinished").iterdir())


KILLED = """
import os, signal, sys
from pathlib import Path
from datetime import timedelta
from tests.evidence.makers import at, violation, START
from pipeline.evidence import EvidenceRecorder
from pipeline.sources import Recording
kept = EvidenceRecorder("gate", Path(sys.argv[2]), before=timedelta(seconds=1), after=timedelta(seconds=1))
for frame in Recording(sys.argv[1], "gate", start=START).frames(kept.packet):
    if frame.time == at(2):
        kept.record(violation(frame, at(2)))
    if frame.time >= at(2.5):
        os.kill(os.getpid(), signal.SIGKILL)
    list(kept.advance(frame.time))
"""


def test_a_killed_process_loses_no_package(footage: Path, tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, footage, tmp_path],
        check=False,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert done.returncode == -signal.SIGKILL
    assert [str(fault) for fault in verify_package(tmp_path / FOLDER)] == [
        "manifest.json: the package is not complete: its clip is unfinished"
    ]
    (evidence,) = recover(tmp_path, "gate")
    assert [evidence] == list(recover(tmp_path, "gate"))  # until it is settled
    assert evidence.complete
    assert evidence.note.startswith("the clip ends at 2024-01-31 16:59:5")
    assert evidence.note.endswith("UTC: the program was stopped")
    assert verify_package(tmp_path / FOLDER) == []
    assert numbers(tmp_path, evidence)[0] == 25
    clear_unfinished(tmp_path, FOLDER)
    assert list(recover(tmp_path, "gate")) == []
    again = play(footage, recorder(tmp_path)).last
    assert again.note == ""
    assert numbers(tmp_path, again) == list(range(25, 101))


def test_an_interrupted_exchange_is_put_back(footage: Path, tmp_path: Path) -> None:
    play(footage, recorder(tmp_path))
    package = tmp_path / FOLDER
    whole = snapshot(package)
    package.rename(package.with_name(f".{ID}.old"))
    package.with_name(f".{ID}.new").mkdir()
    mark_unfinished(tmp_path, FOLDER)
    (evidence,) = recover(tmp_path, "gate")
    assert evidence.complete
    assert snapshot(package) == whole
    assert sorted(path.name for path in package.parent.iterdir()) == [str(ID)]


def test_recovery_of_a_camera_without_evidence_does_nothing(tmp_path: Path) -> None:
    assert list(recover(tmp_path, "gate")) == []


def test_each_package_is_closed_whatever_became_of_the_others(tmp_path: Path) -> None:
    kept = recorder(tmp_path)
    folders = [kept.record(told(number)).folder for number in range(4)]
    (tmp_path / folders[0] / "manifest.json").write_bytes(b"{")
    other = Path(folders[1]).parent.with_name("2024-02-01") / Path(folders[1]).name
    (tmp_path / other).mkdir(parents=True)
    for name in (str(ID), "not a violation", f".{ID}.new"):
        (tmp_path / "gate" / ".unfinished" / name).touch()  # of the first, there is no package
    (tmp_path / "gate" / ".unfinished" / str(told(2).id)).write_bytes(b"\xff\x00damaged")
    found = list(recover(tmp_path, "gate"))
    assert [evidence.folder for evidence in found] == folders[2:]
    assert all(evidence.complete and verify_package(tmp_path / evidence.folder) == [] for evidence in found)
    assert str(ID) not in marks(tmp_path)
    assert {str(told(number).id) for number in range(4)} < set(marks(tmp_path))


def test_a_package_in_the_place_of_another_is_not_closed(tmp_path: Path) -> None:
    kept = recorder(tmp_path)
    mine, other = (tmp_path / kept.record(told(number)).folder for number in range(2))
    (mine / "manifest.json").write_bytes((other / "manifest.json").read_bytes())
    assert [evidence.violation for evidence in recover(tmp_path, "gate")] == [told(1).id]
    assert b'"complete": false' in (mine / "manifest.json").read_bytes()


@pytest.fixture(scope="module")
def config() -> Config:
    return load(STREAMS)


@pytest.fixture
def installation(config: Config, tmp_path: Path) -> Iterator[Installation]:
    with Installation.open(config, DataFolder(tmp_path), []) as opened:
        yield opened


def start_again(installation: Installation) -> None:
    hand_on_leftovers("gate", installation.evidence, installation.outlet)


def left_behind(installation: Installation, number: int, *, saved: bool) -> Evidence:
    """A violation whose process was killed before its clip was complete."""
    evidence = recorder(installation.evidence).record(told(number))
    if saved:
        installation.repository.save(Findings(violations=(told(number),)))
        installation.repository.attach(evidence)
    return evidence


def test_what_a_kill_left_stands_in_the_database_after_the_next_start(installation: Installation) -> None:
    for number in range(2):
        left_behind(installation, number, saved=number == 0)
    start_again(installation)
    for number in range(2):
        stored = installation.repository.evidence(told(number).id)
        assert stored is not None
        assert stored.complete
        assert "there is no clip: the program was stopped" in stored.note
    assert marks(installation.evidence) == []


def test_a_package_closed_before_a_second_kill_is_still_attached(installation: Installation) -> None:
    left_behind(installation, 0, saved=True)
    next(recover(installation.evidence, "gate"))
    start_again(installation)
    stored = installation.repository.evidence(told(0).id)
    assert stored is not None
    assert stored.complete
    assert marks(installation.evidence) == []


def test_complete_evidence_is_never_replaced_from_the_disk(installation: Installation) -> None:
    left_behind(installation, 0, saved=True)
    start_again(installation)
    before = installation.repository.evidence(told(0).id)
    assert before is not None
    manifest = installation.evidence / before.folder / "manifest.json"
    manifest.write_bytes(sealed({**json.loads(manifest.read_bytes()), "plate": "75-F1 999.99"}))
    mark_unfinished(installation.evidence, before.folder)
    start_again(installation)
    assert installation.repository.evidence(told(0).id) == before
    assert marks(installation.evidence) == []


def test_a_package_rewritten_and_not_told_of_gives_way_to_the_one_that_is_known(installation: Installation) -> None:
    repository, root = installation.repository, installation.evidence
    kept = recorder(root)
    kept.record(told(0))
    repository.save(Findings(violations=(told(0),)))
    (known,) = kept.advance(at(200))  # the incident lasts
    repository.attach(known)
    kept.settled(known)
    kept.record(replace(told(0), end=at(150)))
    (unknown,) = kept.advance(at(200))
    assert [file.sha256 for file in unknown.files] != [file.sha256 for file in known.files]
    start_again(installation)  # killed before it was told of
    manifest = next(file.sha256 for file in known.files if file.role == "manifest")
    assert verify_package(root / known.folder, manifest) == []
    assert list((root / known.folder).parent.glob(".*")) == []
    assert marks(root) == []


def test_a_package_told_of_and_not_settled_stays_as_it_is(installation: Installation) -> None:
    repository, root = installation.repository, installation.evidence
    kept = recorder(root)
    kept.record(told(0))
    repository.save(Findings(violations=(told(0),)))
    (first,) = kept.advance(at(200))
    kept.settled(first)
    kept.record(replace(told(0), end=at(150)))
    (second,) = kept.advance(at(200))
    repository.attach(second)
    start_again(installation)
    manifest = next(file.sha256 for file in second.files if file.role == "manifest")
    assert verify_package(root / second.folder, manifest) == []
    assert list((root / second.folder).parent.glob(".*")) == []


def test_a_row_that_comes_back_leads_to_its_run(installation: Installation) -> None:
    repository = installation.repository
    run = repository.begin_run("gate", "x", content_sha256="", config_hash="c", models_hash="m", version="1")
    recorder(installation.evidence, run=run).record(told(0))
    start_again(installation)
    stored = repository.violation(told(0).id)
    assert stored is not None
    assert stored.run == run


def test_what_another_process_is_at_work_on_is_left_to_it(installation: Installation) -> None:
    evidence = left_behind(installation, 0, saved=True)
    (mark,) = (installation.evidence / "gate" / ".unfinished").iterdir()
    mark.write_text(process_mark(os.getppid()))
    start_again(installation)
    stored = installation.repository.evidence(evidence.violation)
    assert stored is not None
    assert not stored.complete
    mark.write_text(f"{os.getppid()}:1")  # its process id is used again
    start_again(installation)
    assert marks(installation.evidence) == []


def test_a_package_that_does_not_verify_is_told_and_does_not_stop_the_next(installation: Installation) -> None:
    forged = left_behind(installation, 0, saved=True)
    unsaved = left_behind(installation, 1, saved=False)
    left_behind(installation, 2, saved=True)
    for evidence in (forged, unsaved):
        (installation.evidence / evidence.folder / "still.jpg").write_bytes(b"another picture")
    start_again(installation)
    stored = [installation.repository.evidence(told(number).id) for number in range(3)]
    assert [one and one.complete for one in stored] == [False, None, True]
    assert installation.repository.violation(told(1).id) is None
    assert marks(installation.evidence) == [str(told(number).id) for number in range(2)]

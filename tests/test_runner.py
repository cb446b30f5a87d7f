"""The driver: one camera's fault is its own, and rows wait for a database that is away."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from time import monotonic, sleep
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from pipeline.buffers import EveryFrame
from pipeline.camera import CameraPipeline, ModelCard
from pipeline.camera_run import CameraRun
from pipeline.config import Config
from pipeline.engine import DetectorKey, Engine
from pipeline.errors import StoreError
from pipeline.evidence import EvidenceRecorder
from pipeline.frame import Frame
from pipeline.lanes import Lanes
from pipeline.plate_crops import PlateCrops
from pipeline.runner import Driver
from pipeline.spool import Spool, Straight
from pipeline.store import Repository
from pipeline.types import Detections, Findings

START = datetime(2026, 5, 1, tzinfo=UTC)


class Crowded:
    """A detector that sees six people in a grey picture, and fails on a white one."""

    name = "road-nano"
    sha256 = "ab" * 32
    classes = ("person",)

    def detect(self, frames: Any) -> list[Detections]:
        if any(frame.min() == 255 for frame in frames):
            raise RuntimeError("this picture cannot be analysed")
        left = np.arange(6, dtype=np.float32) * 20
        boxes = np.stack([left, np.full(6, 40), left + 15, np.full(6, 90)], axis=1).astype(np.float32)
        return [Detections(boxes, np.full(6, 0.9, np.float32), np.full(6, "person")) for _ in frames]


class Footage:
    """Sixty frames at five a second; from `bad` on they are white."""

    def __init__(self, camera: str, bad: int | None = None) -> None:
        self.camera, self.bad = camera, bad

    def frames(self, sink: Any) -> Iterator[Frame]:  # noqa: ARG002 - there are no packets
        for index in range(60):
            shade = 255 if self.bad is not None and index >= self.bad else 90
            picture = np.full((96, 160, 3), shade, np.uint8)
            yield Frame(self.camera, index, START + timedelta(seconds=index / 5), picture)

    def close(self) -> None:
        pass


class Evening(Footage):
    """Frames from 12 s before 00:01 until 00:03; then it waits for `done`, as a camera that stays open does."""

    def __init__(self, camera: str, done: Callable[[], bool]) -> None:
        super().__init__(camera)
        self.done, self.was_done = done, False

    def frames(self, sink: Any) -> Iterator[Frame]:  # noqa: ARG002 - there are no packets
        for index in range(48 * 5, 180 * 5):
            yield Frame(self.camera, index, START + timedelta(seconds=index / 5), np.full((96, 160, 3), 90, np.uint8))
        deadline = monotonic() + 10
        while not self.was_done and monotonic() < deadline:
            self.was_done = self.done()
            sleep(0.02)


class ShyRepository(Repository):
    """A database that is away for the first `refusals` writes."""

    refusals = 0

    def save(self, findings: Findings, run: Any = None) -> None:
        if self.refusals:
            self.refusals -= 1
            raise StoreError("database test: away")
        super().save(findings, run)


@pytest.fixture
def repository(tmp_path):
    with ShyRepository.open(f"sqlite:///{tmp_path / 'test.db'}") as opened:
        yield opened


def begin(repository: Repository, camera: str) -> UUID:
    return repository.begin_run(camera, "test", content_sha256="", config_hash="", models_hash="", version="")


def drive(folder, repository, *sources, outlet=None, ready=lambda run: None, stop=None, **settings) -> list[CameraRun]:
    rule = {"kind": "crowd", "people": 4, "seconds": 1}
    config = Config.model_validate(
        {
            "site": {"name": "Test", "timezone": "UTC"},
            "cameras": [
                {"id": source.camera, "source": "x.mp4", "rate": 5, "rules": [rule], **settings} for source in sources
            ],
        }
    )
    engine = Engine({DetectorKey.of(config.cameras[0].detectors[0]): Crowded()})
    bell = threading.Condition()
    ended: list[CameraRun] = []
    lanes = Lanes()
    runs = [
        CameraRun(
            source=source,
            buffer=EveryFrame(bell),
            pipeline=CameraPipeline(camera, {"road-nano": ModelCard("ab" * 32, frozenset({"person"}))}),
            recorder=EvidenceRecorder(camera.id, folder / "evidence"),
            crops=PlateCrops(folder / "plates"),
            outlet=outlet or Straight(repository, folder / "evidence"),
            lane=lanes.lane(camera.id),
            bell=bell,
            record=begin(repository, camera.id),
            on_end=ended.append,
        )
        for source, camera in zip(sources, config.cameras, strict=True)
    ]
    for run in runs:
        ready(run)
    Driver(engine, bell).drive(iter(runs), parallel=len(runs), stop=stop or threading.Event())
    lanes.close()
    return ended


def test_a_camera_whose_frames_cannot_be_analysed_does_not_stop_the_others(tmp_path, repository):
    ended = {
        run.pipeline.camera.id: run for run in drive(tmp_path, repository, Footage("good"), Footage("bad", bad=30))
    }
    assert ended["good"].error is None
    assert ended["good"].tally.frames == 60
    assert "cannot be analysed" in str(ended["bad"].error)
    assert {violation.camera for violation in repository.violations().items} == {"good", "bad"}


def test_a_rule_that_fails_ends_only_its_own_camera(tmp_path, repository, monkeypatch):
    step = CameraPipeline.step

    def trip(self: CameraPipeline, frame: Frame, detections: Any) -> Findings:
        if frame.camera == "bad" and frame.index == 20:
            raise ZeroDivisionError("a rule's mistake")
        return step(self, frame, detections)

    monkeypatch.setattr(CameraPipeline, "step", trip)
    ended = {run.pipeline.camera.id: run for run in drive(tmp_path, repository, Footage("bad"), Footage("good"))}
    assert ended["good"].tally.frames == 60
    assert ended["bad"].tally.frames == 20
    assert "a rule's mistake" in str(ended["bad"].error)


def test_a_package_that_is_being_written_holds_up_no_other_camera_and_its_own_within_bounds(
    tmp_path, repository, monkeypatch
):
    record, runs, seen = EvidenceRecorder.record, {}, {}

    def slow(self: EvidenceRecorder, violation: Any) -> Any:
        if self.camera == "slow" and not seen:
            deadline = monotonic() + 10
            while not runs["good"].ended and monotonic() < deadline:
                sleep(0.01)
            seen.update({name: run.tally.frames for name, run in runs.items()})
        return record(self, violation)

    monkeypatch.setattr(EvidenceRecorder, "record", slow)
    sources = Footage("slow"), Footage("good")
    drive(tmp_path, repository, *sources, ready=lambda run: runs.update({run.pipeline.camera.id: run}))
    assert seen["good"] == 60
    assert 30 <= seen["slow"] <= 50  # the crowd is told after 1 s, and writing lies at most 5 s behind
    assert runs["slow"].tally.frames == 60
    violations = {violation.camera: violation for violation in repository.violations().items}
    assert violations["slow"].end == violations["good"].end
    evidence = {name: repository.evidence(violation.id) for name, violation in violations.items()}
    assert all(each is not None and each.complete for each in evidence.values())


def test_a_stop_waits_for_no_disk_that_does_not_answer(tmp_path, repository, monkeypatch, capsys):
    """Whoever opens a pipe waits until somebody opens its other end: a disk that hangs."""
    monkeypatch.setattr("pipeline.runner.FINISH_SECONDS", 0.6)
    monkeypatch.setattr("pipeline.runner.STALLED_SECONDS", 0.4)
    drive(tmp_path / "before", repository, Footage("hung"))
    (known,) = repository.violations().items
    pipe = tmp_path / "evidence" / "hung" / ".unfinished" / str(known.id)
    pipe.parent.mkdir(parents=True)
    os.mkfifo(pipe)

    stop = threading.Event()
    threading.Timer(1.0, stop.set).start()
    runs: dict[str, CameraRun] = {}
    try:
        ended = drive(
            tmp_path,
            repository,
            Footage("hung"),
            Footage("well"),
            stop=stop,
            ready=lambda run: runs.update({run.pipeline.camera.id: run}),
        )
        assert [run.pipeline.camera.id for run in ended] == ["well"]
        assert runs["hung"].ended
        assert "left to the next start" in capsys.readouterr().out
        (other,) = [violation for violation in repository.violations().items if violation.camera == "well"]
        assert repository.evidence(other.id).complete
    finally:
        with pipe.open("w"):  # let the thread that waits for it go on
            pass


def test_rows_wait_for_a_database_that_is_away(tmp_path, repository, monkeypatch):
    monkeypatch.setattr("pipeline.spool.spool.PATIENCE", (0.01, 0.01))
    repository.refusals = 5
    spool = Spool(tmp_path / "spool", repository, tmp_path / "evidence", reserve=0)
    spool.start()
    (run,) = drive(tmp_path, repository, Footage("patient"), outlet=spool)
    deadline = monotonic() + 20
    while spool.depth and monotonic() < deadline:
        sleep(0.01)
    spool.close()
    assert run.error is None
    assert spool.depth == 0
    (violation,) = repository.violations().items
    assert violation.end is not None
    evidence = repository.evidence(violation.id)
    assert evidence is not None
    assert evidence.complete
    assert [sample.count for sample in repository.counts("patient").items][:1] == [6]


def test_a_batch_does_not_go_on_without_its_database(tmp_path, repository):
    repository.refusals = 1
    (run,) = drive(tmp_path, repository, Footage("strict"))
    assert "database test: away" in str(run.error)


def test_evidence_of_an_incident_is_complete_soon_after_the_schedule_ends(tmp_path, repository):
    def done() -> bool:
        found = [repository.evidence(violation.id) for violation in repository.violations().items]
        return bool(found) and all(evidence is not None and evidence.complete for evidence in found)

    camera = Evening("gate", done)
    (run,) = drive(tmp_path, repository, camera, schedule=["daily 00:00-00:01"])
    assert run.error is None
    assert run.tally.frames < 100
    assert camera.was_done


def test_a_database_that_fails_between_the_cameras_hours_ends_only_its_own_camera(tmp_path, repository, monkeypatch):
    advance = EvidenceRecorder.advance

    def trip(self: EvidenceRecorder, time: datetime) -> Any:
        if self.camera == "bad" and time > START + timedelta(seconds=100):
            raise StoreError("database test: away")
        return advance(self, time)

    monkeypatch.setattr(EvidenceRecorder, "advance", trip)
    cameras = Evening("bad", lambda: True), Evening("good", lambda: True)
    ended = {
        run.pipeline.camera.id: run for run in drive(tmp_path, repository, *cameras, schedule=["daily 00:00-00:01"])
    }
    assert ended["good"].error is None
    assert "database test: away" in str(ended["bad"].error)


def test_settings_that_change_twice_leave_no_row_open(tmp_path, repository):
    class Renamed(Footage):
        def frames(self, sink: Any) -> Iterator[Frame]:
            for frame in super().frames(sink):
                if frame.index == 30:
                    rows.extend(begin(repository, "gate") for _ in range(2))
                    for row in rows:
                        self.run.refresh(self.run.pipeline.camera, row)
                yield frame

    rows: list[UUID] = []
    source = Renamed("gate")
    (run,) = drive(tmp_path, repository, source, ready=lambda run: setattr(source, "run", run))
    states = {row.id: row.state for row in repository.runs("gate")}
    assert [states[row] for row in rows] == ["finished", "running"]  # the last is for `on_end` to conclude
    assert run.record == rows[1]
    (violation,) = repository.violations().items
    assert repository.violation(violation.id).run == run.record

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from pipeline.store import Repository, ViolationFilter
from pipeline.store.runs import SILENCE
from pipeline.store.tables import Run
from pipeline.types import Findings

from .makers import NOON, seconds, violation

HASHES = {"content_sha256": "a" * 64, "config_hash": "b" * 64, "models_hash": "c" * 64, "version": "0.1.0"}
KEY = ("gate-1", *HASHES.values())


def test_only_a_finished_run_covers_its_footage(repository: Repository) -> None:
    run = repository.begin_run("gate-1", "morning.mp4", **HASHES)
    assert repository.covered(*KEY) is None
    repository.update_run(run, media_start=NOON, frames=100)
    repository.finish_run(run, media_end=NOON + seconds(20), frames=500, violations=2)
    covered = repository.covered(*KEY)
    assert covered is not None
    assert (covered.id, covered.state, covered.source) == (run, "finished", "morning.mp4")
    assert (covered.media_start, covered.media_end) == (NOON, NOON + seconds(20))
    assert (covered.frames, covered.violations) == (500, 2)
    for position in range(len(KEY)):
        other = [*KEY]
        other[position] = "other"
        assert repository.covered(*other) is None


@pytest.mark.parametrize("state", ["failed", "interrupted"])
def test_a_run_that_did_not_finish_covers_nothing(repository: Repository, state: str) -> None:
    run = repository.begin_run("gate-1", "morning.mp4", **HASHES)
    repository.finish_run(run, state, error="damaged")
    assert repository.covered(*KEY) is None
    assert [(each.state, each.error) for each in repository.runs("gate-1")] == [(state, "damaged")]


def test_an_unknown_end_is_refused(repository: Repository) -> None:
    run = repository.begin_run("gate-1", "morning.mp4", **HASHES)
    with pytest.raises(ValueError, match="failed, finished, interrupted"):
        repository.finish_run(run, "done")


def test_a_run_whose_process_was_killed_is_interrupted_and_a_living_one_is_not(
    repository: Repository, url: str
) -> None:
    program = (
        "import os, signal, sys; from pipeline.store import Repository\n"
        "repository = Repository.open(sys.argv[1])\n"
        "repository.begin_run('gate-1', 'killed.mp4', content_sha256='', config_hash='', models_hash='', version='')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", program, url], check=False).returncode == -9
    repository.begin_run("gate-1", "alive.mp4", **HASHES)
    assert [run.source for run in repository.interrupt_stale_runs()] == ["killed.mp4"]
    assert {run.source: run.state for run in repository.runs()} == {"alive.mp4": "running", "killed.mp4": "interrupted"}
    assert repository.interrupt_stale_runs() == ()


def test_only_the_ends_of_what_a_killed_live_run_left_open_are_news(repository: Repository) -> None:
    gone = "1999999:1"
    live = repository.begin_run("gate-1", "rtsp", process=gone, **{**HASHES, "content_sha256": ""})
    recording = repository.begin_run("gate-1", "morning.mp4", process=gone, **HASHES)
    for number, run in enumerate((live, recording)):
        repository.save(Findings((violation(number),)), run)
    repository.announces = True
    assert {run.id for run in repository.interrupt_stale_runs()} == {live, recording}
    told = [(about.event, about.subject) for about in repository.unrouted(["gate-1"])]
    assert told == [("violation_ended", str(violation(0).id))]
    assert not repository.count_violations(ViolationFilter(open=True))


def test_a_run_on_another_machine_is_stale_once_silent(repository: Repository) -> None:
    run = repository.begin_run("gate-1", "elsewhere.mp4", **HASHES)
    repository.save(Findings((violation(),)), run)
    with repository.writing() as connection:
        connection.execute(update(Run).values(host="another"))
    assert repository.interrupt_stale_runs() == ()
    with repository.writing() as connection:
        connection.execute(update(Run).values(updated=datetime.now(UTC) - SILENCE - seconds(1)))
    assert [each.id for each in repository.interrupt_stale_runs()] == [run]
    left_open = repository.violation(violation().id)
    assert left_open is not None
    assert (left_open.end, left_open.closed_reason) == (NOON + seconds(1), "the program was stopped")

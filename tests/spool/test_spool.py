"""The spool before real databases that go away, hang, refuse, and before processes that are killed."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep
from uuid import UUID, uuid4

import pytest

from pipeline.errors import StoreError
from pipeline.spool import Found, LeftOpen, Packed, RunBegun, RunEnded, Spool, open_patiently
from pipeline.store import Repository
from pipeline.store.records import CameraNow
from pipeline.types import CountSample, Evidence, Findings

from ..servers.disk import fill
from ..servers.gate import Gate, gate_before
from ..servers.postgres import new_database
from ..store.makers import NOON, seconds, violation

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.spool.spool.PATIENCE", (0.02, 0.05))


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Repository]:
    with Repository.open(f"sqlite:///{tmp_path / 'matthan.db'}") as opened:
        yield opened


@pytest.fixture
def gated(postgres: str) -> Iterator[tuple[Gate, str]]:
    with gate_before(new_database(postgres)) as (gate, url):
        yield gate, url


def spool_on(folder: Path, repository: Repository, **given: int) -> Spool:
    spool = Spool(folder / "spool", repository, folder / "evidence", **{"reserve": 0, **given})
    spool.start()
    return spool


def found(number: int, **given: object) -> Found:
    return Found(Findings((violation(number, **given),), (), (CountSample("gate-1", "c", "z", NOON, number),)), None)


def begun(run: UUID) -> RunBegun:
    return RunBegun(run, "gate-1", "x", "", "settings", "m", "1", "1:1", NOON)


def wait_for(condition: Callable[[], object]) -> None:
    deadline = monotonic() + 20
    while not condition():
        assert monotonic() < deadline, "what was waited for did not come"
        sleep(0.01)


def numbers(repository: Repository) -> list[int]:
    return sorted(each.track for each in repository.violations(limit=500).items if each.track is not None)


def test_a_database_that_goes_away_gets_everything_in_order_when_it_is_back(
    gated: tuple[Gate, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gate, url = gated
    with Repository.open(url) as repository:
        spool = spool_on(tmp_path, repository)
        run = uuid4()
        spool.append(begun(run))
        spool.append(found(0))
        wait_for(lambda: not spool.depth)
        gate.shut()
        for number in range(1, 40):
            assert spool.append(Found(Findings((violation(number),)), run))
        first = violation(0, end=NOON + seconds(9))
        spool.append(Found(Findings((first,)), run), Packed(Evidence(first.id, "x", (), True)), RunEnded(run, "failed"))
        wait_for(lambda: spool.away)
        assert spool.depth >= 41
        assert spool.size > 10_000
        gate.open()
        wait_for(lambda: not spool.depth)
        spool.close()
        assert not spool.away
        assert numbers(repository) == list(range(40))
        record = repository.violation(first.id)
        assert record is not None
        assert record.end == first.end
        assert record.run == run
        assert record.evidence is not None
        assert repository.runs()[0].state == "failed"
    log = capsys.readouterr().out
    assert log.count("the database is away") == 1
    assert log.count("the database is back") == 1


def test_a_database_that_hangs_holds_up_nobody(gated: tuple[Gate, str], tmp_path: Path) -> None:
    gate, url = gated
    with Repository.open(url) as repository:
        spool = spool_on(tmp_path, repository)
        spool.append(found(0))
        wait_for(lambda: not spool.depth)
        gate.stall()
        begin = monotonic()
        for number in range(1, 30):
            spool.append(found(number))
        spool.close(0.1)
        assert monotonic() - begin < 5
        assert spool.depth == 29
        gate.open()
        wait_for(lambda: not spool._thread.is_alive())
    with Repository.open(url) as repository:
        again = spool_on(tmp_path, repository)
        wait_for(lambda: not again.depth)
        again.close()
        assert numbers(repository) == list(range(30))


def test_a_start_without_the_database_that_it_knows(gated: tuple[Gate, str], tmp_path: Path) -> None:
    gate, url = gated
    gate.shut()
    with pytest.raises(StoreError):
        open_patiently(url, tmp_path / "spool")  # never met: a mistake in the registration
    gate.open()
    open_patiently(url, tmp_path / "spool").close()
    gate.shut()
    with open_patiently(url, tmp_path / "spool") as repository:
        spool = spool_on(tmp_path, repository)
        spool.append(found(1))
        wait_for(lambda: spool.away)
        gate.open()
        wait_for(lambda: not spool.depth)
        spool.close()
        assert numbers(repository) == [1]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_the_database_refuses_is_put_aside(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}" if kind == "sqlite" else new_database(request.getfixturevalue("postgres"))
    with Repository.open(url) as repository:
        spool = spool_on(tmp_path, repository)
        spool.append(
            found(1),
            found(2, track=2**70),
            found(8, confidence="much"),
            found(9, label={"a": 1}),
            found(3, start=NOON.replace(tzinfo=None)),
            found(4, id=None),
        )
        spool.append(Packed(Evidence(uuid4(), "nobody's", (), True)))
        spool._journal.append([b'{"kind":"Unheard"}', b"no JSON"])
        spool.append(found(5))
        spool.append(found(6, rule="".join(map(chr, range(0x4E00, 0x9000)))))  # too long for PostgreSQL's index
        spool.append(found(7))
        wait_for(lambda: not spool.depth)
        spool.close()
        assert numbers(repository) == ([1, 5, 6, 7] if kind == "sqlite" else [1, 5, 7])
        assert spool.refused == (8 if kind == "sqlite" else 9)
        entries = [json.loads(line) for line in (tmp_path / "spool" / "refused.jsonl").read_text().splitlines()]
        assert len(entries) == spool.refused
        assert all(entry["error"] for entry in entries)
        assert json.loads(entries[0]["record"])["findings"]["violations"][0]["track"] == 2**70
    assert "record refused" in capsys.readouterr().out
    assert Spool(tmp_path / "spool", repository, tmp_path).refused == len(entries)


def test_findings_outlive_the_row_of_their_run(sqlite: Repository, tmp_path: Path) -> None:
    spool = spool_on(tmp_path, sqlite)
    spool.append(replace(found(1), run=uuid4()))
    wait_for(lambda: not spool.depth)
    spool.close()
    assert numbers(sqlite) == [1]


def test_newest_states_that_the_database_did_not_take_are_written_when_it_is_back(
    gated: tuple[Gate, str], tmp_path: Path
) -> None:
    gate, url = gated
    with Repository.open(url) as repository:
        spool = spool_on(tmp_path, repository)

        def tell(camera: str, state: str) -> None:
            spool.latest(camera, lambda repository: repository.set_camera_states([CameraNow(camera, state)]))

        tell("gate", "live")
        wait_for(lambda: repository.camera("gate"))
        gate.shut()
        for camera in ("gate", "park"):
            tell(camera, "off")
        wait_for(lambda: spool.away)
        tell("park", "live")
        gate.open()
        wait_for(lambda: repository.camera("park"))
        spool.close()
        assert {camera.id: camera.state for camera in repository.cameras()} == {"gate": "off", "park": "live"}


def test_only_the_newest_state_is_written_and_a_refused_one_is_no_outage(sqlite: Repository, tmp_path: Path) -> None:
    spool = spool_on(tmp_path, sqlite)

    def write(state: str) -> Callable[[Repository], None]:
        return lambda repository: repository.set_camera_states(
            [CameraNow("gate", state, reconnects=2**70 if state == "bad" else 0)]
        )

    for state in ("reading", "bad", "failed"):
        spool.latest("gate", write(state))
    spool.latest("other", write("bad"))
    spool.close()
    assert not spool.away
    assert [camera.state for camera in sqlite.cameras()] == ["failed"]


def test_a_disk_that_takes_nothing_keeps_the_newest_records_in_memory(
    small_disk: Path, sqlite: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.spool.spool.HELD_LIMIT", 5)
    spool = Spool(small_disk / "spool", sqlite, tmp_path, reserve=0)
    filler = fill(small_disk)
    accepted = [spool.append(found(number)) for number in range(20)]
    safe = sum(accepted)
    assert accepted == [True] * safe + [False] * (20 - safe)
    assert spool.lost == 15 - safe
    filler.unlink()
    assert spool.append(found(20))
    spool.start()
    spool.close()
    assert numbers(sqlite) == [*range(safe), *range(15, 21)]


def test_what_the_disk_does_not_take_goes_from_memory_to_the_database(
    small_disk: Path, sqlite: Repository, tmp_path: Path
) -> None:
    spool = spool_on(small_disk, sqlite)
    fill(small_disk)
    accepted = [spool.append(found(number)) for number in range(60)]
    assert not all(accepted)
    wait_for(lambda: not spool.depth)
    spool.close()
    assert spool.lost == 0
    assert numbers(sqlite) == list(range(60))


KILLED = """
import os, random, select, signal, sys, time
from pathlib import Path
from pipeline.spool import Found, LeftOpen, Packed, Spool
from pipeline.store import Repository
from pipeline.types import Evidence, Findings
from tests.store.makers import violation

folder = Path(sys.argv[1])
Repository.open(f"sqlite:///{folder / 'matthan.db'}").close()


def life(number, accepted):
    repository = Repository.open(f"sqlite:///{folder / 'matthan.db'}")
    spool = Spool(folder / "spool", repository, folder / "evidence", reserve=0)
    spool._journal._segment_bytes = 20_000
    spool.start()
    while True:
        one = violation(number)
        if spool.append(Found(Findings((one,)), None), Packed(Evidence(one.id, str(number), (), True))):
            os.write(accepted, b"%d\\n" % number)
        number += 1


chance = random.Random(7)
number = 0
for _ in range(10):
    end, start = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        life(number, start)
    os.close(start)
    select.select([end], [], [], 20)  # a slow machine takes long to begin
    time.sleep(chance.uniform(0.02, 0.25))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(end) as told:
        said = [int(line) for line in told.read().splitlines()]
    if said:
        number = said[-1] + 1
print(number, flush=True)
"""


def test_processes_killed_at_any_moment_lose_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, tmp_path],
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    accepted = int(done.stdout.splitlines()[-1])
    assert accepted > 5
    with Repository.open(f"sqlite:///{tmp_path / 'matthan.db'}") as repository:
        spool = spool_on(tmp_path, repository)
        spool.append(LeftOpen("gate-1", "stopped"))
        wait_for(lambda: not spool.depth)
        spool.close()
    with closing(sqlite3.connect(tmp_path / "matthan.db")) as connection:
        rows = connection.execute(
            'SELECT track, folder, "end" FROM violations JOIN evidence ON violations.id = violation ORDER BY track'
        ).fetchall()
    # what a kill came upon between the disk and the word about it may be there too
    assert accepted <= len(rows) <= accepted + 1
    for number, (track, folder, end) in enumerate(rows):
        assert (track, folder) == (number, str(number))
        assert end is not None
    assert not (tmp_path / "spool" / "refused.jsonl").exists()

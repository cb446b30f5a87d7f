"""Retention on a real database and real folders: what goes by age and by size, and a kill between any two steps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.config import Config
from pipeline.errors import ArchiveError
from pipeline.evidence.archive import Archive
from pipeline.orphans import orphans
from pipeline.retention import Retention
from pipeline.review import Action, Decision, RejectionReason, ReviewPolicy
from pipeline.spool import Found
from pipeline.spool.journal import Journal
from pipeline.spool.records import to_line
from pipeline.store import Repository
from pipeline.types import CountSample, Evidence, EvidenceFile, Findings
from tests.store.makers import plate, violation

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SIZE = 1_000_000


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    with Repository.open(f"sqlite:///{tmp_path / 'matthan.db'}") as opened:
        yield opened


def retention(repository: Repository, folder: Path, limit: str | None = None, **days: int) -> Retention:
    config = Config.model_validate(
        {
            "site": {"timezone": "UTC"},
            "storage": {"retention": {"evidence": limit}},
            "cameras": [{"id": "gate-1", "source": "rtsp://10.0.0.1/", "retention": days}],
        }
    )
    return Retention(repository, folder / "evidence", folder / "plates", config, clock=lambda: NOW)


def case(repository: Repository, folder: Path, days: float, number: int = 0) -> UUID:
    """A case of so many days ago with a package of one file of SIZE bytes."""
    start = NOW - timedelta(days=days)
    one = violation(number, start=start, end=start + timedelta(seconds=5))
    package = f"gate-1/{start:%Y-%m-%d}/{one.id}"
    (folder / "evidence" / package).mkdir(parents=True)
    (folder / "evidence" / package / "clip.mp4").write_bytes(bytes(SIZE))
    repository.save(Findings(violations=(one,)))
    file = EvidenceFile("clip.mp4", "clip", "video/mp4", SIZE, "ab" * 32)
    repository.attach(Evidence(one.id, package, (file,), complete=True))
    return one.id


def files(folder: Path) -> int:
    return sum(path.is_file() for path in (folder / "evidence").rglob("*"))


def test_a_dry_run_tells_and_touches_nothing(repository, tmp_path):
    old, _ = case(repository, tmp_path, days=40), case(repository, tmp_path, days=10, number=1)
    (line,) = retention(repository, tmp_path, violations=30).run(apply=False)
    assert (line.what, line.camera, line.number, line.bytes) == ("cases", "gate-1", 1, SIZE)
    assert line.reason == "flagged for more than 30 days"
    assert repository.violation(old) is not None
    assert files(tmp_path) == 2
    assert retention(repository, tmp_path, violations=30).run(apply=True) == [line]
    assert repository.violation(old) is None
    assert repository.count_violations() == files(tmp_path) == 1
    assert not retention(repository, tmp_path, violations=30).run(apply=True)


def test_without_days_everything_stays(repository, tmp_path):
    case(repository, tmp_path, days=4000)
    assert not retention(repository, tmp_path).run(apply=True)


def test_the_oldest_go_until_the_size_fits_but_no_young_ones(repository, tmp_path):
    cases = [case(repository, tmp_path, days, number) for number, days in enumerate((60, 50, 40, 5, 4))]
    keeper = retention(repository, tmp_path, limit="3 MB")
    assert [line.number for line in keeper.run(apply=False)] == [2]
    keeper.run(apply=True)
    assert [repository.violation(one) is not None for one in cases] == [False, False, True, True, True]
    retention(repository, tmp_path, limit="1 MB").run(apply=True)  # younger than 14 days: not for any size
    assert [repository.violation(one) is not None for one in cases] == [False, False, False, True, True]


def test_a_pass_that_only_finishes_another_says_what_it_finished(tmp_path):
    data = tmp_path / "data"
    (tmp_path / "streams.yaml").write_text(
        "site: {timezone: UTC}\ncameras: [{id: gate-1, source: 'rtsp://10.0.0.1/', retention: {violations: 30}}]\n"
    )
    data.mkdir()
    with Repository.open(f"sqlite:///{data / 'matthan.db'}") as repository:
        case(repository, data, days=40)
        repository.mark_removals(repository.removable(("flagged",), NOW), "flagged for long", NOW)
    apply = ["retention", "--apply", "--config", str(tmp_path / "streams.yaml"), "--data", str(data)]
    told = CliRunner().invoke(app, apply, env={"COLUMNS": "200"}).output
    assert "begun by an earlier pass" in told and "1.0 MB of files removed" in told
    assert "nothing is due" in CliRunner().invoke(app, apply).output


@pytest.mark.parametrize("steps", range(5))
def test_a_kill_between_two_steps_leaves_nothing_for_ever(repository, tmp_path, steps):
    old = case(repository, tmp_path, days=40)
    keeper = retention(repository, tmp_path, violations=30)
    candidates = repository.removable(("flagged",), NOW)
    package = tmp_path / "evidence" / candidates[0].folder
    aside = package.with_name(f".{package.name}.gone")
    work = [
        lambda: repository.mark_removals(candidates, "flagged for long", NOW),
        lambda: package.rename(aside),
        lambda: repository.remove(repository.pending_removals()[0], NOW),
        (aside / "clip.mp4").unlink,
    ]
    for step in work[:steps]:
        step()
    (line,) = keeper.run(apply=True)
    why = "flagged for long; begun by an earlier pass" if steps else "flagged for more than 30 days"
    assert (line.what, line.camera, line.reason, line.number, line.bytes) == ("cases", "gate-1", why, 1, SIZE)
    assert not keeper.run(apply=True)
    assert repository.violation(old) is None
    assert list((tmp_path / "evidence").rglob(f"*{old}*")) == []
    assert not repository.pending_removals()
    assert repository.removal_reasons([old])
    assert not list(orphans(repository, tmp_path / "evidence", tmp_path / "plates", tmp_path / "spool"))


def test_a_case_that_is_taken_up_meanwhile_gets_its_evidence_back(repository, tmp_path):
    old = case(repository, tmp_path, days=40)
    candidates = repository.removable(("flagged",), NOW)
    repository.mark_removals(candidates, "flagged for long", NOW)
    package = tmp_path / "evidence" / candidates[0].folder
    package.rename(package.with_name(f".{package.name}.gone"))
    repository.hold_violation(old, "court order", "lan")
    assert not retention(repository, tmp_path, violations=30).run(apply=True)
    assert (package / "clip.mp4").stat().st_size == SIZE
    assert repository.violation(old) is not None
    assert not repository.pending_removals()


def test_copies_in_the_archive_go_too_or_the_removal_waits_for_it(repository, tmp_path):
    old = case(repository, tmp_path, days=40)
    keeper = retention(repository, tmp_path, violations=30)
    folder = repository.removable(("flagged",), NOW)[0].folder
    url, keeper.fetched = f"file://{tmp_path / 'archive'}", tmp_path / "fetched"
    copies = [tmp_path / place / folder for place in ("archive", "fetched")]
    for copy in copies:
        copy.mkdir(parents=True)
        (copy / "clip.mp4").write_bytes(b"x")
    keeper.archive = ArchiveThatIsAway(url)
    keeper.run(apply=True)
    assert [one.violation for one in repository.pending_removals()] == [old]
    assert copies[0].is_dir()
    keeper.archive = Archive(url)
    keeper.run(apply=True)
    assert not any(copy.exists() for copy in copies)
    assert not repository.pending_removals()


def test_a_decided_case_is_written_on_the_audit_trail_once_however_long_the_archive_is_away(repository, tmp_path):
    old = case(repository, tmp_path, days=60)
    decision = Decision(Action.REJECT, "lan", reason=RejectionReason.NO_VIOLATION)
    repository.decide_review(old, decision, ReviewPolicy(), version=0, now=NOW - timedelta(days=50))
    keeper = retention(repository, tmp_path, violations=30)
    keeper.archive = ArchiveThatIsAway(f"file://{tmp_path / 'archive'}")
    keeper.run(apply=True)
    emptied = repository.violation(old)
    reopening = Decision(Action.REOPEN, "minh", note="appeal", senior=True)
    repository.decide_review(old, reopening, ReviewPolicy(), version=1, now=NOW)  # too late: the files are gone
    keeper.clock = lambda: NOW + timedelta(hours=1)
    keeper.run(apply=True)
    assert repository.violation(old).evidence == emptied.evidence
    assert [one.violation for one in repository.pending_removals()] == [old]
    keeper.archive = Archive(f"file://{tmp_path / 'archive'}")
    keeper.run(apply=True)
    assert not repository.pending_removals()
    assert files(tmp_path) == 0
    assert [entry.action for entry in repository.audit().items] == ["violation.removed"]


def test_a_pass_that_is_told_to_stop_begins_nothing_more(repository, tmp_path):
    case(repository, tmp_path, days=40)
    stopped = retention(repository, tmp_path, violations=30)
    stopped.stop.set()
    assert stopped.run(apply=True) == []
    assert repository.count_violations() == files(tmp_path) == 1


class ArchiveThatIsAway(Archive):
    def delete(self, folder: str) -> None:  # noqa: ARG002
        raise ArchiveError(f"archive {self.url}: connection refused")


def test_a_folder_outside_the_evidence_is_never_touched(repository, tmp_path):
    stranger = tmp_path / "precious"
    stranger.mkdir()
    one = violation(start=NOW - timedelta(days=40), end=NOW - timedelta(days=40))
    repository.save(Findings(violations=(one,)))
    repository.attach(Evidence(one.id, "gate-1/../../precious", (), complete=True))
    retention(repository, tmp_path, violations=30).run(apply=True)
    assert stranger.is_dir()


def test_plate_reads_go_with_their_pictures_but_not_those_of_cases(repository, tmp_path):
    start = NOW - timedelta(days=40)
    crop = f"gate-1/{start:%Y-%m-%d}/{plate(number=1).id}.jpg"
    (tmp_path / "plates" / crop).parent.mkdir(parents=True)
    (tmp_path / "plates" / crop).write_bytes(bytes(500))
    old = plate(number=1, time=start, final=True, crop_file=crop)
    used = plate("75A-999.99", number=2, time=start, final=True)
    young = plate(number=3, time=NOW - timedelta(days=3), final=True)
    repository.save(Findings(plates=(old, used, young)))
    repository.save(Findings(violations=(violation(start=start, end=start, plate=used),)))
    keeper = retention(repository, tmp_path, plate_reads=30)
    (line,) = keeper.run(apply=False)
    assert (line.what, line.number, line.bytes) == ("plate reads", 1, 500)
    assert keeper.run(apply=True) == [line]
    assert {one.id for one in repository.plate_reads().items} == {used.id, young.id}
    assert list((tmp_path / "plates").rglob("*.jpg")) == []
    assert [entry.action for entry in repository.audit().items] == ["retention.removed"]


def test_counts_go_by_age(repository, tmp_path):
    times = (NOW - timedelta(days=400), NOW - timedelta(days=1))
    repository.save(Findings(counts=tuple(CountSample("gate-1", "crowd", "square", time, 3) for time in times)))
    (line,) = retention(repository, tmp_path).run(apply=True)
    assert (line.what, line.number) == ("counts", 1)
    assert [one.time for one in repository.counts("gate-1").items] == [times[1]]


def test_files_that_no_row_knows_are_told_and_left(repository, tmp_path):
    case(repository, tmp_path, days=1)
    foreign = tmp_path / "evidence" / "gate-1" / "2026-11-01" / str(UUID(int=7))
    waiting = tmp_path / "evidence" / "gate-1" / "2026-11-01" / str(UUID(int=8))
    for package in (foreign, waiting):
        package.mkdir(parents=True)
        (package / "still.jpg").write_bytes(bytes(10))
    (tmp_path / "evidence" / "gate-1" / ".unfinished").mkdir()
    (tmp_path / "evidence" / "gate-1" / ".unfinished" / waiting.name).touch()
    (found,) = orphans(repository, tmp_path / "evidence", tmp_path / "plates", tmp_path / "spool")
    assert (found.path, found.bytes, found.reason) == (foreign, 10, "no violation refers to it")
    assert foreign.is_dir()


def test_a_picture_that_its_read_does_not_name_is_told(repository, tmp_path):
    names = {number: f"gate-1/2026-11-01/{plate(number=number).id}.jpg" for number in range(3)}
    for name in names.values():
        (tmp_path / "plates" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "plates" / name).write_bytes(bytes(10))
    names[3] = f"gate-1/2026-11-01/{plate(number=3).id}.jpg"
    (tmp_path / "plates" / names[3]).write_bytes(bytes(10))
    waiting = Found(Findings(plates=(plate(number=3, crop_file=names[3]),)), None)
    Journal(tmp_path / "spool", reserve=0).append([to_line(waiting)])
    named, hashed = plate(number=0, crop_file=names[0]), plate("#ABCDEFGHKLMNPRSTABCD", number=1)
    repository.save(Findings(plates=(named, hashed)))
    found = list(orphans(repository, tmp_path / "evidence", tmp_path / "plates", tmp_path / "spool"))
    assert {one.path for one in found} == {tmp_path / "plates" / names[number] for number in (1, 2)}
    assert {one.reason for one in found} == {"no plate read refers to it"}


@pytest.mark.parametrize("text", ["500 GB", "1.5TB", 2_000_000])
def test_a_size_is_written_as_people_do(repository, tmp_path, text):
    assert retention(repository, tmp_path, limit=text).config.storage.retention.evidence > 10**6


@pytest.mark.parametrize("text", ["500", "12 KB", 5, True, "-1 GB"])
def test_what_is_no_size_is_refused(repository, tmp_path, text):
    with pytest.raises(ValueError, match="a size of at least 1 MB"):
        retention(repository, tmp_path, limit=text)

"""A city's database for the benchmark of the desk: two years of cases with their evidence, reviews and audit trail."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from api.auth.passwords import Passwords
from benchmarks.seeding import (
    BUS,
    CAMERAS,
    DAYS,
    START,
    analyse,
    camera_id,
    copy,
    fill_reads,
    without_indexes,
)
from pipeline.errors import MatThanError
from pipeline.review import RejectionReason
from pipeline.store import Repository, Role
from pipeline.store.account_tables import Audit
from pipeline.store.chain import batches
from pipeline.store.chaining import note
from pipeline.store.review_tables import Review, ReviewAction
from pipeline.store.tables import Evidence, EvidenceFile, Plate, PlateRead, Violation

END = START + timedelta(days=DAYS)
AGE = timedelta(days=730)
KINDS = {"wrong_way": 0.62, "plate": 0.2, "crowd": 0.15, "fire": 0.03}
PASSWORD = "a benchmark's password"  # noqa: S105
OFFICERS = 20
GROUPS = 8
BATCH = 50_000
LONG_TRACES, SHORT_TRACE = timedelta(days=60), 20
"""Older cases keep so many boxes of their trace, which spares the disk some 15 GB."""

BACKLOG = ((20, 0.8), (60, 0.1), (730, 0.01))
"""Which share of the cases no officer has decided yet, by their age in days."""

OUTCOMES = {
    "rejected": 0.62, "closed": 0.19, "duplicate": 0.08, "forwarded": 0.05, "accepted": 0.05, "second_review": 0.01,
}  # fmt: skip
STEPS = {
    "rejected": ("reject",), "duplicate": ("duplicate",), "accepted": ("accept",), "second_review": ("ask_second",),
    "forwarded": ("accept", "forward"), "closed": ("accept", "forward", "close"),
}  # fmt: skip
AFTER = {"reject": "rejected", "duplicate": "duplicate", "accept": "accepted", "ask_second": "second_review",
         "forward": "forwarded", "close": "closed"}  # fmt: skip
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Specimen:
    """A case that the program itself found in its samples, with a real package: the cases here are its copies."""

    row: Row
    folder: str
    files: tuple[Row, ...]
    trace: str
    short_trace: str


def build(repository: Repository, demo: Path, violations: int, reads: int, end: datetime = END) -> None:
    """Fill an empty database with what happened until `end`. `demo` is the data folder of a finished
    `matthan demo --once`."""
    specimens = _specimens(demo)
    fill_reads(repository, reads, end - timedelta(days=DAYS))
    chance = random.Random(1)  # noqa: S311
    tables = (Violation, Review, ReviewAction, Audit, Evidence, EvidenceFile)
    with repository.reading() as connection:
        known = connection.execute(select(Plate.key).order_by(Plate.id)).scalars().all()
    cases = _cases(violations, end, specimens, _linked_reads(repository, violations, reads), known, chance)
    with without_indexes(repository, *tables):
        while batch := [case for _, case in zip(range(BATCH), cases, strict=False)]:
            with repository.writing() as connection:
                for table in (Violation, Evidence, EvidenceFile, Review, ReviewAction, Audit):
                    copy(connection, table, (row for case in batch for row in case.get(table, ())))
    _chain_undecided(repository)
    _hire(repository)
    analyse(repository)


def counts(repository: Repository) -> str:
    with repository.reading() as connection:
        told = [
            f"{connection.execute(select(func.count()).select_from(table)).scalar_one():,} {table.__tablename__}"
            for table in (Violation, PlateRead, Review, ReviewAction, EvidenceFile, Audit)
        ]
    return f"{repository.engine.dialect.name}: " + ", ".join(told)


def officer(number: int) -> str:
    return f"officer-{number:02d}"


def confine(repository: Repository, many: int) -> None:
    """Let so many officers see the cameras of one group each, and the others all."""
    for number, camera in enumerate(repository.cameras()):
        if not camera.groups:
            place = (camera.id, camera.name, camera.latitude, camera.longitude)
            repository.record_camera(*place, ward=camera.ward, district=camera.district, groups=[group(number)])
    for number in range(OFFICERS):
        user = repository.user_named(officer(number))
        groups = (group(number),) if number < many else ()
        if user is not None and tuple(user.groups) != groups:
            repository.change_user(user.id, groups=groups)


def group(number: int) -> str:
    return f"group-{number % GROUPS}"


def _chain_undecided(repository: Repository) -> None:
    """Put the cases on the chain that officers are going to change, as the program has them there from the first: it
    says of every row that it changes and the chain does not know that somebody put it in."""
    states = {Violation: ("flagged", "second_review"), Review: ("second_review",)}
    for table, wanted in states.items():
        with repository.reading() as connection:
            found = select(Violation.id).where(Violation.review_state.in_(wanted)).order_by(Violation.start)
            cases = connection.execute(found).scalars().all()
        for some in batches(cases):
            with repository.writing() as connection:
                note(connection, table.__tablename__, some)


def _hire(repository: Repository) -> None:
    """All have one password, hashed once: that is slow by design."""
    password_hash = Passwords().hash(PASSWORD)
    for number in range(OFFICERS):
        role = Role.SENIOR_REVIEWER if number % 10 == 9 else Role.REVIEWER
        repository.create_user(officer(number), password_hash, role, must_change_password=False)
    repository.create_user("admin", password_hash, Role.ADMIN, must_change_password=False)


def _specimens(demo: Path) -> Mapping[str, list[Specimen]]:
    database = demo / "matthan.db"
    if not database.is_file():
        raise MatThanError(f"{database} is missing; run `matthan demo --once --data {demo}` first")
    found: dict[str, list[Specimen]] = {kind: [] for kind in KINDS}
    with Repository.open(f"sqlite:///{database}") as repository, repository.reading() as connection:
        for row in connection.execute(select(Violation.__table__)).mappings():
            package = select(Evidence.folder).where(Evidence.violation == row["id"])
            files = select(EvidenceFile.__table__).where(EvidenceFile.violation == row["id"])
            specimen = Specimen(
                row={**row},
                folder=connection.execute(package).scalar_one(),
                files=tuple({**file} for file in connection.execute(files).mappings()),
                trace=json.dumps(row["trace"]),
                short_trace=json.dumps({**row["trace"], "boxes": row["trace"]["boxes"][:SHORT_TRACE]}),
            )
            found[row["kind"]].append(specimen)
    found["plate"] = found["plate"] or found["wrong_way"]
    if missing := [kind for kind, cases in found.items() if not cases]:
        raise MatThanError(f"the demo in {demo} has found no case of {', '.join(missing)}; run it again")
    return found


def _linked_reads(repository: Repository, violations: int, reads: int) -> list[Row]:
    """Reads for the cases of the month that has any, in order of time."""
    many = min(reads, int(violations * DAYS / AGE.days) + 1)
    columns = (PlateRead.id, PlateRead.time, PlateRead.camera, PlateRead.text, PlateRead.confidence, PlateRead.track)
    fitting = PlateRead.text.not_in([BUS, "11111111"])
    with repository.reading() as connection:
        some = select(*columns).where(fitting).order_by(PlateRead.id).limit(many)  # their ids are random
        return sorted(({**row} for row in connection.execute(some).mappings()), key=lambda row: row["time"])


def _cases(
    count: int,
    end: datetime,
    specimens: Mapping[str, list[Specimen]],
    reads: list[Row],
    plates: Sequence[str],
    chance: random.Random,
) -> Iterator[Mapping[type[Any], list[Row]]]:
    """The rows of each case, oldest first."""
    cameras = [camera_id(number) for number in range(CAMERAS)]
    busy = [chance.lognormvariate(0, 1) for _ in cameras]
    step = AGE / count
    waiting = iter(reads)
    for number in range(count):
        start = end - AGE + step * (number + chance.random())
        (kind,) = chance.choices(list(KINDS), list(KINDS.values()))
        camera, read = chance.choices(cameras, busy)[0], None
        if (
            start >= end - timedelta(days=DAYS)
            and kind in {"wrong_way", "plate"}
            and (read := next(waiting, None)) is not None
        ):
            start, camera = read["time"], read["camera"]
        # Older cases have a plate that was read since; their own reads are not among these.
        plate = read["text"] if read else chance.choice(plates) if chance.random() < 0.9 else None
        yield _case(chance.choice(specimens[kind]), kind, (start, end - start), camera, (plate, read), chance)


def _case(
    specimen: Specimen,
    kind: str,
    when: tuple[datetime, timedelta],
    camera: str,
    plated: tuple[str | None, Row | None],
    chance: random.Random,
) -> Mapping[type[Any], list[Row]]:
    start, age = when
    violation = UUID(int=chance.getrandbits(128))
    by_vehicle = kind in {"wrong_way", "plate"}
    plate, read = plated if by_vehicle else (None, None)
    state, reason = _state(age, chance), ""
    if state == "rejected":
        reason = chance.choice(list(RejectionReason)).value
    row = specimen.row | {
        "id": violation, "camera": camera, "run": None, "rule": kind, "kind": kind, "start": start,
        "peak": start + timedelta(seconds=2), "end": start + timedelta(seconds=6),
        "last_seen": start + timedelta(seconds=6), "confidence": round(chance.betavariate(5, 2), 4),
        "track": chance.randrange(100_000) if by_vehicle else None, "boxes": json.dumps(specimen.row["boxes"]),
        "measures": json.dumps(specimen.row["measures"]),
        "trace": specimen.trace if age < LONG_TRACES else specimen.short_trace,
        "plate_read": read and read["id"], "plate_text": plate, "plate_key": plate,
        "plate_confidence": read["confidence"] if read else 0.9 if plate else None,
        "review_state": state, "created": start, "updated": start,
    }  # fmt: skip
    package = {"violation": violation, "folder": specimen.folder, "complete": True, "note": "", "updated": start}
    files = [file | {"violation": violation} for file in specimen.files]
    made = {Violation: [row], Evidence: [package], EvidenceFile: files}
    if state == "flagged":
        return made
    actor = officer(chance.randrange(OFFICERS))
    decided = start + min(age, timedelta(days=20)) * chance.random()
    review = {
        "violation": violation, "version": len(STEPS[state]), "assignee": "", "lock_holder": "", "lock_until": None,
        "asked_by": actor if state == "second_review" else "", "first_reviewer": "", "first_plate": "",
        "second_reviewer": "", "disputed": False, "plate": None, "vehicle": None, "corrected_start": None,
        "reason": reason, "duplicate_of": None,
        "notified": decided if state in {"forwarded", "closed"} else None, "updated": decided,
    }  # fmt: skip
    steps = list(_steps(violation, state, actor, reason, decided))
    return made | {Review: [review], ReviewAction: steps, Audit: list(_trail(violation, steps))}


def _state(age: timedelta, chance: random.Random) -> str:
    waiting = next((share for days, share in BACKLOG if age <= timedelta(days=days)), 0.0)
    if chance.random() < waiting:
        return "flagged"
    return chance.choices(list(OUTCOMES), list(OUTCOMES.values()))[0]


def _steps(violation: UUID, state: str, actor: str, reason: str, decided: datetime) -> Iterator[Row]:
    before = "flagged"
    for number, action in enumerate(STEPS[state]):
        yield {
            "violation": violation, "time": decided + timedelta(hours=number), "actor": actor, "action": action,
            "before": before, "after": AFTER[action], "reason": reason, "note": "", "detail": "{}",
        }  # fmt: skip
        before = AFTER[action]


def _trail(violation: UUID, steps: list[Row]) -> Iterator[Row]:
    """Who decided has looked at the case before."""
    for step in steps:
        for action in ("violation.view", f"review.{step['action']}"):
            yield {
                "time": step["time"], "actor": step["actor"], "action": action, "object_kind": "violation",
                "object_id": str(violation), "detail": "{}", "address": "10.0.0.7",
            }  # fmt: skip

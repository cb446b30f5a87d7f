"""A database that is confined to some cameras: as if there were no others in it."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Select, bindparam, delete, event, func, literal, or_, select, text, update
from sqlalchemy.orm import aliased
from sqlalchemy.sql import visitors

from pipeline.errors import QueryError, StoreError
from pipeline.review import Action, Decision, ReviewPolicy
from pipeline.store import PlateFilter, Repository, Role, ViolationFilter, scope
from pipeline.store.review_tables import Review
from pipeline.store.scope import CITY_WIDE, OPTION, WHOLE_CITY, Narrowing, camera_column, final_froms, ways_to_cameras
from pipeline.store.tables import Camera, EvidenceFile, PlateRead, Table, Violation
from pipeline.types import CountSample, Evidence, Findings
from pipeline.types import EvidenceFile as File

from .makers import NOON, plate, seconds, violation

MINE, OTHER = "gate-1", "gate-2"
POLICY = ReviewPolicy()


@pytest.fixture
def mine(repository: Repository) -> Repository:
    """The database confined to one of two cameras that found the same."""
    for number, camera in enumerate((MINE, OTHER)):
        repository.record_camera(camera, groups=["north"] if camera == MINE else ["south", "gates"])
        read = plate("75A-123.45", number, camera=camera)
        found = violation(number, camera, NOON + seconds(number), kind=f"kind-{number}", plate=read)
        repository.save(Findings((found,), counts=(CountSample(camera, "crowd", "square", NOON, 3, None),)))
        repository.attach(
            Evidence(found.id, camera, (File("still.jpg", "still", "image/jpeg", 3, "aa"),), complete=True)
        )
        repository.lock_review(found.id, "lan", NOON + timedelta(minutes=10), now=NOON)
    return repository.within(repository.cameras_in(["north", "nowhere"]))


@pytest.fixture
def theirs(repository: Repository, mine: Repository) -> Any:
    return repository.violations(ViolationFilter(cameras=(OTHER,))).items[0]


LISTINGS: dict[str, Callable[[Repository], Any]] = {
    "violations": lambda store: store.violations().items,
    "violations asked for by camera": lambda store: store.violations(ViolationFilter(cameras=(MINE, OTHER))).items,
    "reads": lambda store: store.plate_reads().items,
    "reads of a plate": lambda store: store.plate_reads(PlateFilter(plate="75A12345")).items,
    "reads near a plate": lambda store: store.plate_reads(PlateFilter(plate="75A12346", distance=1.0)).items,
    "reads by wildcard": lambda store: store.plate_reads(PlateFilter(plate="75A*")).items,
    "journey": lambda store: store.sightings(PlateFilter(plate="75A12345")),
    "summary": lambda store: store.summary(zone=ZoneInfo("UTC")),
    "cameras": lambda store: store.cameras(),
}


@pytest.mark.parametrize("listing", LISTINGS)
def test_a_listing_holds_the_own_cameras_alone(repository: Repository, mine: Repository, listing: str) -> None:
    ask = LISTINGS[listing]
    assert {getattr(row, "camera", None) or row.id for row in ask(repository)} == {MINE, OTHER}
    assert {getattr(row, "camera", None) or row.id for row in ask(mine)} == {MINE}
    assert not ask(repository.within(()))


@pytest.mark.parametrize("listing", LISTINGS)
def test_the_tables_of_a_statement_are_those_that_sqlalchemy_finds(
    repository: Repository, mine: Repository, listing: str
) -> None:
    seen: list[Any] = []

    def note(_connection: Any, statement: Any, *_: Any) -> None:
        seen.extend(each for each in visitors.iterate(statement) if isinstance(each, Select))

    event.listen(repository.engine, "before_execute", note)
    LISTINGS[listing](mine)
    event.remove(repository.engine, "before_execute", note)
    assert seen
    for each in seen:
        assert [str(one) for one in final_froms(each)] == [str(one) for one in each.get_final_froms()]


def test_a_statement_that_is_used_again_is_narrowed_for_whoever_asks(repository: Repository, mine: Repository) -> None:
    wanted = select(Violation.camera).order_by(Violation.camera)
    stores = {(MINE,): mine, (OTHER,): repository.within([OTHER]), (MINE, OTHER): repository, (): mine.within([])}
    for _ in range(3):
        for cameras, store in stores.items():
            with store.reading() as connection:
                assert tuple(connection.execute(wanted).scalars()) == cameras


def test_queries_that_are_written_alike_are_narrowed_once_and_keep_their_values(
    repository: Repository, mine: Repository
) -> None:
    def wanted(kinds: list[str], many: int, *, since: datetime, named: bool = False) -> Select[Any]:
        later = select(PlateRead.id).where(PlateRead.id == Violation.plate_read, PlateRead.time >= since)
        which = bindparam("kind") if named else literal(kinds[0])
        found = select(Violation.kind).where(or_(Violation.kind.in_(kinds), Violation.kind == which), later.exists())
        return found.order_by(Violation.kind).limit(many)

    both, theirs = ["kind-0", "kind-1"], repository.within([OTHER])
    asked = (
        (mine, wanted(both, 9, since=NOON), {}, ["kind-0"]),
        (theirs, wanted(both, 9, since=NOON), {}, ["kind-1"]),
        (repository, wanted(both, 9, since=NOON), {}, both),
        (repository.within([MINE, OTHER]), wanted(both, 1, since=NOON), {}, ["kind-0"]),
        (repository.within([MINE, OTHER]), wanted(["kind-1"], 9, since=NOON), {}, ["kind-1"]),
        (mine, wanted(["kind-1"], 9, since=NOON), {}, []),
        (theirs, wanted(both, 9, since=NOON + timedelta(days=1)), {}, []),
        (theirs, wanted(["none"], 9, since=NOON, named=True), {"kind": "kind-1"}, ["kind-1"]),
        (mine, wanted(["none"], 9, since=NOON, named=True), {"kind": "kind-1"}, []),
    )
    for _ in range(2):
        for store, query, values, expected in asked:
            with store.reading() as connection:
                assert list(connection.execute(query, values).scalars()) == expected

    narrowing = Narrowing("sqlite")
    alike = [wanted([kind], 9, since=NOON) for kind in both]
    narrowed = [narrowing.before_execute(None, each, (), {}, {OPTION: (MINE,)}) for each in alike]
    (first, _, _), (second, _, values) = narrowed
    assert first is second
    assert ["kind-1"] in values.values() and ["kind-0"] not in values.values()


def test_only_so_many_queries_are_kept_narrowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scope, "MOST_KEPT", 2)
    narrowing, kept = Narrowing("sqlite"), []
    for number in range(6):
        wanted = select(Violation.id).where(*[Violation.kind == "crowd"] * number)
        narrowed, _, _ = narrowing.before_execute(None, wanted, (), {}, {OPTION: (MINE,)})
        kept.append(weakref.ref(narrowed))
        del wanted, narrowed
    gc.collect()
    assert [each() is None for each in kept] == [True] * 4 + [False] * 2


def test_single_rows_of_others_are_not_there(mine: Repository, theirs: Any) -> None:
    assert mine.violation(theirs.id) is None
    assert mine.evidence(theirs.id) is None
    assert mine.evidence_of([theirs.id]) == {}
    assert mine.review(theirs.id) is None
    assert mine.camera(OTHER) is None
    assert mine.alerts(OTHER) == ()
    assert mine.counts(OTHER).items == ()
    assert mine.kinds() == ("kind-0",)
    assert mine.newest_violations().keys() == {MINE}
    assert mine.count_violations() == 1
    assert not mine.covers(OTHER)
    own = mine.violations().items[0]
    assert mine.violation(own.id) is not None
    assert mine.evidence(own.id) is not None
    assert mine.review(own.id) is not None


def test_cases_of_others_are_not_taken(repository: Repository, mine: Repository, theirs: Any) -> None:
    later = NOON + timedelta(hours=1)
    own = mine.violations().items[0].id

    def take(store: Repository, after: UUID | None) -> UUID | None:
        return store.take_next_review("hoa", ViolationFilter(), senior=False, until=later, now=later, after=after)

    assert (take(mine, None), take(mine, own), take(repository, own)) == (own, None, theirs.id)


def test_cases_of_others_are_not_changed(repository: Repository, mine: Repository, theirs: Any) -> None:
    later = NOON + timedelta(hours=1)
    own = mine.violations().items[0].id
    for change in (
        lambda: mine.lock_review(theirs.id, "hoa", later, now=later),
        lambda: mine.decide_review(theirs.id, Decision(Action.ACCEPT, "hoa"), POLICY, version=0, now=later),
        lambda: mine.decide_review(
            own, Decision(Action.DUPLICATE, "hoa", duplicate_of=str(theirs.id)), POLICY, version=0, now=later
        ),
    ):
        with pytest.raises(QueryError, match="no violation"):
            change()
    mine.release_review(theirs.id, "lan", now=NOON)
    review = repository.review(theirs.id)
    assert review is not None and review.lock_holder == "lan"
    mine.decide_review(own, Decision(Action.ACCEPT, "hoa"), POLICY, version=0, now=later)


def test_statements_are_narrowed_however_they_are_written(mine: Repository, theirs: Any) -> None:
    other, read = aliased(Violation), Violation.__table__
    inner = select(Violation.id).where(Violation.camera == Camera.id).limit(1).scalar_subquery()
    counted = select(func.count().label("number"))
    with mine.writing() as connection:
        for statement in (
            counted.select_from(other),
            counted.select_from(read),
            counted.select_from(EvidenceFile),
            counted.select_from(select(read.c.id).subquery()),
            counted.select_from(select(Violation.id).cte()),
            counted.select_from(
                select(Violation.id)
                .where(Violation.camera == MINE)
                .union_all(select(Violation.id).where(Violation.camera == OTHER))
                .subquery()
            ),
            counted.select_from(Review).join(Violation, Review.violation == Violation.id),
            counted.select_from(Violation).join(Review, Review.violation == Violation.id, isouter=True),
            counted.select_from(Camera).where(Camera.id.in_(select(PlateRead.camera))),
        ):
            assert connection.execute(statement).scalar_one() == 1
        assert len(connection.execute(select(Camera.id, inner)).all()) == 1
        assert connection.execute(update(Violation).values(label="x")).rowcount == 1
        assert connection.execute(delete(EvidenceFile)).rowcount == 1


def test_what_cannot_be_narrowed_is_refused(mine: Repository) -> None:
    with pytest.raises(StoreError, match="cannot be confined"), mine.reading() as connection:
        connection.execute(text("SELECT * FROM violations"))


def test_people_belong_to_no_camera(mine: Repository) -> None:
    mine.create_user("lan", "hash", Role.VIEWER, must_change_password=False, groups=["north"])
    mine.record_audit("lan", "look", "violation")
    assert [user.groups for user in mine.users()] == [["north"]]
    assert mine.audit().items[0].actor == "lan"


def test_what_tells_of_the_whole_city_is_not_shown(repository: Repository, mine: Repository) -> None:
    repository.put_in_force(uuid4(), "streams.yaml", "ab", "{}", note="", process=1, time=NOON)
    assert repository.configuration("ab") is not None
    assert mine.configuration("ab") is None
    assert (mine.configuration_loads(), len(repository.configuration_loads())) == ((), 1)


@pytest.mark.parametrize("name", sorted(Table.metadata.tables))
def test_every_table_has_a_camera_or_is_declared(name: str) -> None:
    if name not in CITY_WIDE | WHOLE_CITY and camera_column(name) is None:
        assert ways_to_cameras(name)

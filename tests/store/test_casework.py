"""What stands near a case, who waits for a second reading, and how many wait in all."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain

import pytest

from pipeline.review import Action, Decision, ReviewPolicy, State
from pipeline.store import Repository, ViolationFilter, casework
from pipeline.store.filters import DueBefore
from pipeline.store.relations import Relation
from pipeline.types import Findings

from .makers import NOON, identity, plate, seconds, violation

LATER = datetime(2026, 11, 2, tzinfo=UTC)
POLICY = ReviewPolicy(owner_within=timedelta(days=10), answer_within=timedelta(days=20))
READ = plate()
CASE = violation(0, plate=READ)
TWIN = violation(0, id=identity("twin"), rule="lane", start=NOON + seconds(2), plate=READ)
CLOSE = violation(1, start=NOON + seconds(60))
FAR = violation(2, start=NOON + timedelta(minutes=6))
OTHER_CAMERA = violation(3, "gate-2", NOON)
AGAIN = violation(4, "gate-2", NOON + timedelta(days=3), plate=plate(number=4))
ALL = (CASE, TWIN, CLOSE, FAR, OTHER_CAMERA, AGAIN)


@pytest.fixture
def stored(repository: Repository) -> Repository:
    repository.save(Findings(ALL))
    return repository


def decide(repository: Repository, case: object, action: Action, officer: str = "lan", **given: str) -> None:
    version = 0 if (review := repository.review(case)) is None else review.version  # type: ignore[arg-type]
    decision = Decision(action, officer, note="why", **given)  # type: ignore[arg-type]
    repository.decide_review(case, decision, POLICY, version=version, now=LATER)  # type: ignore[arg-type]


def test_neighbours_are_of_the_vehicle_the_camera_and_the_plate(stored: Repository) -> None:
    decide(stored, FAR.id, Action.DUPLICATE, duplicate_of=str(CASE.id))
    case = stored.violation(CASE.id)
    assert case is not None
    found = {each.violation.id: set(each.relations) for each in stored.neighbours(case, same_plate=True)}
    assert found == {
        TWIN.id: {Relation.VEHICLE, Relation.CAMERA, Relation.PLATE},
        CLOSE.id: {Relation.CAMERA},
        FAR.id: {Relation.DUPLICATE},
        AGAIN.id: {Relation.PLATE},
    }
    without = stored.neighbours(case, same_plate=False)
    assert [each.violation.id for each in without] == [TWIN.id, CLOSE.id, FAR.id]
    assert Relation.PLATE not in {relation for each in without for relation in each.relations}


def test_a_vehicle_waits_for_its_second_reading_in_all_its_cases(stored: Repository) -> None:
    everything = [each.id for each in ALL]
    assert stored.awaiting_reading(everything) == frozenset()
    assert stored.second_readings(CASE.id) == ()
    decide(stored, CASE.id, Action.ASK_SECOND)
    decide(stored, FAR.id, Action.DUPLICATE, duplicate_of=str(CASE.id))
    assert stored.awaiting_reading(everything) == {CASE.id, TWIN.id, FAR.id}
    shown = stored.violations(ViolationFilter(awaiting=False)).items
    assert {each.id for each in shown} == set(everything) - {CASE.id, TWIN.id, FAR.id}
    for case in (CASE, TWIN, FAR):
        assert [review.violation for review in stored.second_readings(case.id)] == [CASE.id]
    for other in (CLOSE.id, AGAIN.id, identity("none")):
        assert stored.second_readings(other) == ()


@pytest.mark.parametrize("sort", ["-start", "start"])
@pytest.mark.parametrize("wanted", ["75A-123.45", "75A*"])
def test_pages_are_full_though_some_cases_wait_for_a_reading(stored: Repository, sort: str, wanted: str) -> None:
    many = [violation(10 + number, plate=READ if number % 7 > 2 else plate(number=number)) for number in range(40)]
    stored.save(Findings(tuple(many)))
    decide(stored, CASE.id, Action.ASK_SECOND)
    for repeated in many[:4]:
        decide(stored, repeated.id, Action.DUPLICATE, duplicate_of=str(CASE.id))
    every = [each.id for each in stored.violations(ViolationFilter(plate=wanted), sort=sort, limit=100).items]
    waiting = stored.awaiting_reading(every)
    assert len(waiting) > 20
    filters = ViolationFilter(plate=wanted, awaiting=False)
    pages = [page := stored.violations(filters, sort=sort, limit=3)]
    while page.next:
        pages.append(page := stored.violations(filters, sort=sort, limit=3, cursor=page.next))
    assert {len(each.items) for each in pages[:-1]} == {3}
    shown = [[item.id for item in each.items] for each in pages]
    assert list(chain(*shown)) == [each for each in every if each not in waiting]
    back = [page]
    while page.previous:
        back.append(page := stored.violations(filters, sort=sort, limit=3, cursor=page.previous))
    assert [[item.id for item in each.items] for each in back[::-1]] == shown


def test_states_are_counted_under_the_filter_and_to_a_limit(
    stored: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide(stored, CLOSE.id, Action.ACCEPT)
    counts = stored.count_states(ViolationFilter(cameras=("gate-1",), states=("accepted",)))
    assert (counts[State.FLAGGED], counts[State.ACCEPTED], counts[State.CLOSED]) == (3, 1, 0)
    monkeypatch.setattr(casework, "MOST_COUNTED", 2)
    assert stored.count_states(ViolationFilter())[State.FLAGGED] == 2


@pytest.mark.parametrize("few", [0, 1000])
@pytest.mark.parametrize(
    "wanted",
    [
        ViolationFilter(),
        ViolationFilter(kinds=("wrong_way",), states=("accepted",)),
        ViolationFilter(rules=("lane", "none")),
        ViolationFilter(plate="75A*"),
        ViolationFilter(plate="*2345", cameras=("gate-1", "gate-2")),
        ViolationFilter(since=NOON + seconds(30), until=NOON + timedelta(minutes=5)),
        ViolationFilter(assignee=""),
        ViolationFilter(due=DueBefore(NOON + timedelta(days=11), POLICY)),
    ],
)
def test_counts_and_cases_of_some_cameras_are_those_of_all_without_the_others(
    stored: Repository, monkeypatch: pytest.MonkeyPatch, wanted: ViolationFilter, few: int
) -> None:
    decide(stored, CLOSE.id, Action.ACCEPT)
    monkeypatch.setattr(casework, "FEW", few)
    confined = stored.within(["gate-1"])
    expected = [each for each in stored.violations(wanted.across_states()).items if each.camera == "gate-1"]
    assert list(confined.violations(wanted.across_states()).items) == expected
    every = [each for each in stored.violations(replace(wanted, states=())).items if each.camera == "gate-1"]
    counts = Counter(State(each.review_state) for each in every)
    assert confined.count_states(wanted) == {state: counts[state] for state in State}
    assert set(stored.within([]).count_states(wanted).values()) == {0}


def test_cases_are_found_by_officer_and_by_what_is_due(stored: Repository) -> None:
    stored.assign_review(CLOSE.id, "lan", "lan", version=0, now=LATER)
    decide(stored, OTHER_CAMERA.id, Action.ACCEPT)
    decide(stored, OTHER_CAMERA.id, Action.FORWARD)

    def found(wanted: ViolationFilter) -> set[object]:
        return {each.id for each in stored.violations(wanted).items}

    def due(days: float) -> set[object]:
        return found(ViolationFilter(due=DueBefore(NOON + timedelta(days=days), POLICY)))

    assert found(ViolationFilter(assignee="lan")) == {CLOSE.id}
    assert found(ViolationFilter(assignee="")) == {each.id for each in ALL} - {CLOSE.id}
    assert due(9) == set()
    assert due(10.001) == {CASE.id, TWIN.id, CLOSE.id}
    assert due(15) == {CASE.id, TWIN.id, CLOSE.id, FAR.id, AGAIN.id}
    assert OTHER_CAMERA.id in due(22)

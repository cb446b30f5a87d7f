"""A camera whose analysis fails is told once, until it has gone well for a while."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.given_up import STEADY_SECONDS, GivenUp
from pipeline.types import CameraAlert

START = datetime(2026, 5, 1, tzinfo=UTC)


class Clock:
    seconds = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def told() -> list[CameraAlert]:
    return []


@pytest.fixture
def given_up(clock: Clock, told: list[CameraAlert]) -> GivenUp:
    return GivenUp(told.append, clock.now, lambda: clock.seconds)


def test_failures_one_after_the_other_are_one_fault(given_up: GivenUp, clock: Clock, told: list[CameraAlert]) -> None:
    for failure in range(1, 4):
        given_up.failed("gate", f"mistake {failure}")
        for _ in range(5):
            clock.seconds += STEADY_SECONDS / 10
            given_up.look(["gate"])
    assert {(each.id, each.kind, each.start, each.end) for each in told} == {(told[0].id, "failed", START, None)}
    assert [(each.value, each.note) for each in told] == [(1, "mistake 1"), (2, "mistake 2"), (3, "mistake 3")]
    assert given_up.lasting("gate") == (told[-1],)


def test_it_ends_when_the_camera_has_gone_well_for_a_while(
    given_up: GivenUp, clock: Clock, told: list[CameraAlert]
) -> None:
    given_up.failed("gate", "a mistake")
    given_up.look([])
    clock.seconds = 500.0  # it waited for its next try
    given_up.look(["gate"])
    assert len(told) == 1
    clock.seconds += STEADY_SECONDS
    given_up.look(["gate"])
    assert (told[-1].id, told[-1].end, told[-1].note) == (told[0].id, clock.now(), "a mistake")
    assert given_up.lasting("gate") == ()
    given_up.failed("gate", "another")
    assert told[-1].id != told[0].id


def test_it_ends_with_the_camera_and_with_the_program(given_up: GivenUp, told: list[CameraAlert]) -> None:
    given_up.failed("gate", "a mistake")
    given_up.failed("park", "a mistake")
    given_up.end("gate", "its settings were changed")
    given_up.end("yard", "never failed")
    given_up.close()
    assert [(each.camera, each.note) for each in told[2:]] == [
        ("gate", "its settings were changed"),
        ("park", "the program was stopped"),
    ]

"""What a soak holds against the program, and what it excuses."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from pipeline.soak.faults import Effect, Injection
from pipeline.soak.judgement import Observed, come_back_limit, judge, readers_verdict, violations_verdicts
from pipeline.soak.scenes import Shown
from pipeline.store.records import ViolationSummary

T0 = 1_790_000_000.0
CROWDS = [Shown("square", "crowd", "square", T0 + begin, T0 + begin + 14) for begin in (10, 40, 70)]


def stored(shown: Shown, after: float = 2.0, **given: Any) -> ViolationSummary:
    start = datetime.fromtimestamp(shown.start + after, UTC)
    values: dict[str, Any] = dict.fromkeys(ViolationSummary.__slots__)
    values |= {"id": uuid4(), "camera": shown.camera, "kind": shown.kind, "zone": shown.where, "start": start}
    return ViolationSummary(**{**values, **given})


def observed(**given: Any) -> Observed:
    whole = Observed(
        shown=CROWDS,
        stored=[stored(one) for one in CROWDS],
        injections=[],
        plays={"square": [T0]},
        memory=[],
        ended=T0 + 100,
        starts=[T0 - 5],
        ended_alone=[],
        stop_seconds=3.0,
        stop_status=0,
        left_behind=0,
    )
    return replace(whole, **given)


def verdicts(found: Observed) -> list[bool | None]:
    return [verdict.passed for verdict in violations_verdicts(found)]


def test_all_stored_once_passes():
    assert verdicts(observed()) == [True, True]


def test_a_missing_one_and_a_doubled_one_fail():
    assert verdicts(observed(stored=[stored(one) for one in CROWDS[1:]])) == [False, True]
    twice = [*(stored(one) for one in CROWDS), stored(CROWDS[1], after=9)]
    assert verdicts(observed(stored=twice)) == [False, True]


@pytest.mark.parametrize("other", [{"camera": "other"}, {"kind": "fire"}, {"zone": "street"}])
def test_what_was_not_shown_fails(other):
    found = [*(stored(one) for one in CROWDS), stored(CROWDS[1], **other)]
    assert verdicts(observed(stored=found)) == [True, False]


def test_nothing_is_owed_before_the_first_request_to_play_and_after_the_end():
    assert verdicts(observed(plays={"square": [T0 + 8]}, stored=[stored(one) for one in CROWDS[1:]])) == [True, True]
    assert verdicts(observed(ended=T0 + 80, stored=[stored(one) for one in CROWDS[:2]])) == [True, True]
    assert verdicts(observed(plays={"square": []}, stored=[])) == [None, True]


def test_a_fault_excuses_what_it_cut_and_nothing_else():
    killed = Injection("server killed", Effect("1", ("square",), reconnects=True), T0 + 45, T0 + 50)
    plays = {"square": [T0, T0 + 52]}
    assert verdicts(observed(injections=[killed], plays=plays, stored=[stored(CROWDS[0]), stored(CROWDS[2])]))[0]
    assert not verdicts(observed(injections=[killed], plays=plays, stored=[stored(CROWDS[0])]))[0]


def test_a_fault_of_the_database_excuses_nothing():
    away = Injection("database away", Effect("sqlite"), T0 + 30, T0 + 90)
    assert not verdicts(observed(injections=[away], stored=[stored(CROWDS[0])]))[0]


def test_a_connection_that_the_program_loses_by_itself_excuses_nothing():
    plays = {"square": [T0, T0 + 42]}
    assert not verdicts(observed(plays=plays, stored=[stored(CROWDS[0]), stored(CROWDS[2])]))[0]


def test_a_reader_must_return_in_time():
    killed = Injection("server killed", Effect("1", ("square",), reconnects=True), T0 + 20, T0 + 25)
    assert come_back_limit(killed) == 21  # waits of at most 8 s can have grown in 5 s
    for back, passed in ((T0 + 27, True), (T0 + 45, True), (T0 + 47, False)):
        verdict = readers_verdict(observed(injections=[killed], plays={"square": [T0, back]}, stored=[]))
        assert verdict.passed is passed, verdict
    assert readers_verdict(observed()).passed is None


def test_a_reader_whose_connection_outlived_the_fault_is_known_by_what_it_found():
    hung = Injection("server hangs", Effect("1", ("square",), reconnects=True, silent=True), T0 + 20, T0 + 25)
    assert readers_verdict(observed(injections=[hung], plays={"square": [T0]})).passed is True, "at 42 s"
    assert readers_verdict(observed(injections=[hung], plays={"square": [T0]}, stored=[])).passed is False


def test_a_silent_server_may_hold_an_attempt_for_its_time_limit():
    hung = Injection("server hangs", Effect("1", ("square",), reconnects=True, silent=True), T0, T0 + 5)
    assert come_back_limit(hung) == 31


def test_everything_is_judged():
    bad = observed(ended_alone=["12:00:00 with 1"], stop_seconds=11.0, packages=["crowd: no package"])
    failed = {verdict.check for verdict in judge(bad) if verdict.passed is False}
    assert len(failed) == 3
    assert all(verdict.passed is not False for verdict in judge(observed()))

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ConflictError, QueryError
from pipeline.review import Action, Case, Decision, RejectionReason, ReviewPolicy, State, actions, decide, due

NOON = datetime(2026, 3, 14, 5, tzinfo=UTC)
FOUR_EYES = ReviewPolicy(four_eyes=frozenset({"wrong_way"}))
FLAGGED = Case("wrong_way", plated=True)


def accept(case: Case, actor: str, plate: str | None = "75A-268.19", *, senior: bool = False) -> Case:
    return decide(case, Decision(Action.ACCEPT, actor, senior=senior, plate=plate), FOUR_EYES)


def test_one_officer_accepts_where_two_are_not_asked_for() -> None:
    case = decide(replace(FLAGGED, kind="crowd", plated=False), Decision(Action.ACCEPT, "lan"), FOUR_EYES)
    assert (case.state, case.first_reviewer, case.plate) == (State.ACCEPTED, "lan", None)


def test_under_four_eyes_a_second_officer_reads_the_same_plate() -> None:
    first = accept(FLAGGED, "lan")
    assert (first.state, first.plate) == (State.SECOND_REVIEW, None)
    second = accept(first, "minh", "75A 26819")
    assert (second.state, second.second_reviewer, second.disputed) == (State.ACCEPTED, "minh", False)
    assert second.plate == "75A 26819"


def test_nobody_is_both_eyes() -> None:
    with pytest.raises(ConflictError, match="another officer"):
        accept(accept(FLAGGED, "lan"), "lan")


def test_two_different_readings_go_to_a_third_and_senior_officer() -> None:
    disputed = accept(accept(FLAGGED, "lan"), "minh", "75A-268.18")
    assert (disputed.state, disputed.disputed) == (State.SECOND_REVIEW, True)
    with pytest.raises(ConflictError, match="senior"):
        accept(disputed, "hoa", "75A-268.19")
    with pytest.raises(ConflictError, match="third officer"):
        accept(disputed, "minh", "75A-268.19", senior=True)
    settled = accept(disputed, "hoa", "75A-268.19", senior=True)
    assert (settled.state, settled.plate) == (State.ACCEPTED, "75A-268.19")


def test_a_second_review_without_a_reading_is_refused() -> None:
    with pytest.raises(QueryError, match="read the plate yourself"):
        accept(accept(FLAGGED, "lan"), "minh", None)


def test_both_may_find_the_plate_illegible() -> None:
    assert accept(accept(FLAGGED, "lan", ""), "minh", "").plate == ""


@pytest.mark.parametrize(
    ("decision", "missing"),
    [
        (Decision(Action.REJECT, "lan"), "reason"),
        (Decision(Action.REJECT, "lan", reason=RejectionReason.OTHER, note="  "), "note"),
        (Decision(Action.DUPLICATE, "lan"), "duplicate_of"),
        (Decision(Action.ASK_SECOND, "lan"), "note"),
    ],
)
def test_a_decision_says_all_that_it_needs(decision: Decision, missing: str) -> None:
    with pytest.raises(QueryError, match=missing):
        decide(FLAGGED, decision, FOUR_EYES)


def test_only_a_senior_reviewer_reopens_and_then_nothing_of_the_first_review_remains() -> None:
    rejected = decide(FLAGGED, Decision(Action.REJECT, "lan", reason=RejectionReason.PERMITTED), FOUR_EYES)
    again = Decision(Action.REOPEN, "hoa", note="the ambulance was on no call")
    with pytest.raises(ConflictError, match="senior"):
        decide(rejected, again, FOUR_EYES)
    assert decide(rejected, replace(again, senior=True), FOUR_EYES) == FLAGGED


def test_who_asks_for_a_second_review_leaves_it_to_others() -> None:
    asked = decide(FLAGGED, Decision(Action.ASK_SECOND, "lan", note="the lane is hard to see"), FOUR_EYES)
    assert (asked.state, asked.first_reviewer) == (State.SECOND_REVIEW, "")
    with pytest.raises(ConflictError, match="you asked"):
        accept(asked, "lan")
    first = accept(asked, "minh")
    assert first.state is State.SECOND_REVIEW
    assert accept(first, "hoa").state is State.ACCEPTED


def test_one_other_officer_decides_where_four_eyes_are_not_asked_for() -> None:
    asked = decide(replace(FLAGGED, kind="crowd"), Decision(Action.ASK_SECOND, "lan", note="unsure"), FOUR_EYES)
    assert accept(asked, "minh").state is State.ACCEPTED


def test_a_correction_made_before_stands_when_the_acceptance_reads_nothing_anew() -> None:
    corrected = replace(FLAGGED, kind="crowd", plate="75A-268.19")
    assert accept(corrected, "lan", None).plate == "75A-268.19"


def test_what_is_due_follows_the_case() -> None:
    def until(case: Case, notified: datetime | None = None) -> datetime | None:
        return due(case, FOUR_EYES, detected=NOON, notified=notified)

    assert until(FLAGGED) == NOON + timedelta(days=10)
    later = NOON + timedelta(days=4)
    assert until(replace(FLAGGED, state=State.FORWARDED), later) == later + timedelta(days=20)
    assert until(replace(FLAGGED, state=State.REJECTED)) is None
    assert until(replace(FLAGGED, state=State.CLOSED)) is None


cases = st.builds(
    Case,
    kind=st.sampled_from(["wrong_way", "crowd"]),
    state=st.sampled_from(State),
    plated=st.booleans(),
    first_reviewer=st.sampled_from(["", "lan", "minh"]),
    first_plate=st.sampled_from(["", "75A26819"]),
    second_reviewer=st.sampled_from(["", "minh"]),
    disputed=st.booleans(),
)
decisions = st.builds(
    Decision,
    action=st.sampled_from(Action),
    actor=st.sampled_from(["lan", "minh", "hoa"]),
    senior=st.booleans(),
    reason=st.just(RejectionReason.NO_VIOLATION),
    note=st.just("seen"),
    plate=st.sampled_from(["", "75A26819", "75A26818"]),
    duplicate_of=st.just("another"),
)


@given(cases, decisions)
def test_what_may_be_done_is_what_can_be_done(case: Case, decision: Decision) -> None:
    offered = decision.action in actions(case, decision.actor, senior=decision.senior)
    try:
        decide(case, decision, FOUR_EYES)
    except ConflictError:
        assert not offered
    else:
        assert offered


@given(st.lists(decisions, max_size=8))
def test_no_road_leads_past_the_second_pair_of_eyes(taken: list[Decision]) -> None:
    case: Any = FLAGGED
    for decision in taken:
        try:
            case = decide(case, decision, FOUR_EYES)
        except (ConflictError, QueryError):
            continue
        if case.state in (State.ACCEPTED, State.FORWARDED, State.CLOSED):
            assert case.second_reviewer not in ("", case.first_reviewer)

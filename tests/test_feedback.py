from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.feedback import ENOUGH, Verdict, precisions, suggest_threshold, wilson
from pipeline.review import State


def verdict(state: State, reason: str = "", confidence: float = 0.8, camera: str = "gate-1") -> Verdict:
    return Verdict(camera, "wrong_way", confidence, state, reason)


@pytest.mark.parametrize(
    ("state", "reason", "right"),
    [
        (State.ACCEPTED, "", True),
        (State.CLOSED, "", True),
        (State.REJECTED, "no_violation", False),
        (State.REJECTED, "camera_misaligned", False),
        (State.REJECTED, "permitted", True),
        (State.REJECTED, "illegible_plate", None),
        (State.REJECTED, "poor_evidence", None),
        (State.DUPLICATE, "", None),
    ],
)
def test_a_rule_is_blamed_only_for_what_it_saw_wrongly(state: State, reason: str, right: bool | None) -> None:
    assert verdict(state, reason).right is right


def test_each_camera_has_its_own_precision() -> None:
    found = precisions(
        [verdict(State.ACCEPTED), verdict(State.REJECTED, "other"), verdict(State.ACCEPTED, camera="gate-0")], 0.9
    )
    assert [(row.camera, row.right, row.wrong, row.precision) for row in found] == [
        ("gate-0", 1, 0, 1.0),
        ("gate-1", 1, 1, 0.5),
    ]
    assert found[1].reasons == {"other": 1}


def test_the_threshold_leaves_out_what_was_mostly_wrong() -> None:
    good = [verdict(State.ACCEPTED, confidence=0.9) for _ in range(30)]
    poor = [verdict(State.REJECTED, "no_violation", confidence=0.5) for _ in range(10)]
    (row,) = precisions(good + poor, 0.95)
    assert (row.precision, row.threshold, row.kept) == (0.75, 0.9, 1.0)


def test_few_cases_support_no_threshold() -> None:
    (row,) = precisions([verdict(State.ACCEPTED) for _ in range(ENOUGH - 1)], 0.9)
    assert row.threshold is None


def test_the_interval_is_wilsons() -> None:
    low, high = wilson(81, 263)  # the worked example of Newcombe 1998, Statistics in Medicine 17: 857-872
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
    assert wilson(0, 0) == (0.0, 1.0)


def test_cases_that_say_nothing_count_for_nothing_but_are_told() -> None:
    found = [verdict(State.REJECTED, reason) for reason in ("test", "wrong_plate", "wrong_plate")]
    (row,) = precisions([*found, verdict(State.DUPLICATE), verdict(State.ACCEPTED)], 0.9)
    assert (row.right, row.wrong, row.silent, row.precision) == (1, 0, 4, 1.0)
    assert list(row.reasons.items()) == [("wrong_plate", 2), ("test", 1)], "the most frequent first"
    assert not row.enough


def test_cases_that_are_alike_are_counted_together() -> None:
    alike = Verdict("gate-1", "wrong_way", 0.9, State.ACCEPTED, "", count=40)
    one_by_one = [verdict(State.ACCEPTED, confidence=0.9) for _ in range(40)]
    wrong = verdict(State.REJECTED, "no_violation", 0.4)
    assert precisions([alike, wrong], 0.99) == precisions([*one_by_one, wrong], 0.99)


def test_a_threshold_says_how_much_speaks_for_it() -> None:
    (row,) = precisions([Verdict("gate-1", "wrong_way", 0.9, State.ACCEPTED, "", count=ENOUGH)], 0.95)
    assert row.threshold == 0.9
    assert row.assured is not None
    assert 0.8 < row.assured < 0.95, "twenty right cases do not assure 95 %"


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.3, 0.5, 0.7, 0.9]), st.booleans()), max_size=80), st.floats(0.5, 1))
def test_a_suggested_threshold_keeps_its_promise(decided: list[tuple[float, bool]], target: float) -> None:
    found = suggest_threshold(
        [verdict(State.ACCEPTED if right else State.REJECTED, "" if right else "other", at) for at, right in decided],
        target,
    )
    if found is not None:
        kept = [right for confidence, right in decided if confidence >= found.confidence]
        assert (found.right, found.wrong) == (sum(kept), len(kept) - sum(kept))
        assert len(kept) >= ENOUGH
        assert sum(kept) / len(kept) >= target


@given(st.integers(0, 200), st.integers(0, 200))
def test_the_interval_holds_the_share(right: int, wrong: int) -> None:
    low, high = wilson(right, right + wrong)
    assert 0 <= low <= high <= 1
    if right + wrong:
        assert low - 1e-9 <= right / (right + wrong) <= high + 1e-9

"""Overload lowers the least important cameras first, never below a floor, and lets go slowly."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.overload import LEAST_RATE, PATIENCE, RECOVERY, SHARES, Governor, Window

CROWDED, CALM, MIDDLING = Window(100, 40, 1.0), Window(100, 0, 0.4), Window(100, 5, 0.9)
PRIORITIES = {"gate": 9, "square": 5, "park": 1}
RATES = dict.fromkeys(PRIORITIES, 10.0)


def crowd(governor, windows=PATIENCE, priorities=PRIORITIES):
    return [governor.observe(CROWDED, priorities, RATES) for _ in range(windows)]


def test_one_crowded_window_is_no_overload():
    governor = Governor[str]()
    assert crowd(governor, PATIENCE - 1) == [False] * (PATIENCE - 1)
    governor.observe(CALM, PRIORITIES, RATES)
    assert crowd(governor, PATIENCE - 1)[-1] is False
    assert governor.shares(PRIORITIES, RATES) == dict.fromkeys(PRIORITIES, 1.0)


def test_the_lowest_priority_gives_first_and_the_highest_last():
    governor = Governor[str]()
    seen = []
    while len(seen) < len(SHARES) * 3:
        if crowd(governor)[-1]:
            seen.append(governor.shares(PRIORITIES, RATES))
    assert seen[0] == {"gate": 1.0, "square": 1.0, "park": SHARES[0]}
    assert seen[3] == {"gate": 1.0, "square": 1.0, "park": SHARES[-1]}
    assert seen[4] == {"gate": 1.0, "square": SHARES[0], "park": SHARES[-1]}
    assert seen[-1] == dict.fromkeys(PRIORITIES, SHARES[-1])
    assert not any(crowd(governor, 10 * PATIENCE))


def test_it_says_when_there_is_nothing_left_to_give():
    governor = Governor[str]()
    slow = dict.fromkeys(PRIORITIES, LEAST_RATE)
    told = [governor.observe(CROWDED, PRIORITIES, slow) or governor.spent for _ in range(PATIENCE + 1)]
    assert told == [False] * (PATIENCE - 1) + [True, True]
    assert governor.level == 0
    governor.observe(MIDDLING, PRIORITIES, slow)
    assert not governor.spent


@given(st.integers(0, 12), st.dictionaries(st.text(max_size=3), st.floats(0.1, 60), min_size=1))
def test_no_camera_falls_below_the_floor(level, rates):
    governor = Governor[str]()
    governor.level = level
    priorities = {name: len(name) for name in rates}
    for name, share in governor.shares(priorities, rates).items():
        assert share <= 1
        assert rates[name] * share >= min(rates[name], LEAST_RATE) - 1e-9


def test_it_recovers_after_calm_alone_and_more_slowly_when_that_was_too_early():
    governor = Governor[str]()
    crowd(governor)
    assert not any(governor.observe(MIDDLING, PRIORITIES, RATES) for _ in range(10 * RECOVERY))
    assert [governor.observe(CALM, PRIORITIES, RATES) for _ in range(RECOVERY)] == [False] * (RECOVERY - 1) + [True]
    assert governor.level == 0
    crowd(governor)
    assert governor.level == 1
    assert not any(governor.observe(CALM, PRIORITIES, RATES) for _ in range(2 * RECOVERY - 1))
    assert governor.observe(CALM, PRIORITIES, RATES)


def test_cameras_that_leave_take_their_steps_with_them():
    governor = Governor[str]()
    for _ in range(3 * len(SHARES)):
        crowd(governor)
    governor.observe(MIDDLING, {"gate": 9}, RATES)
    assert governor.level == len(SHARES)


def test_cameras_that_have_nothing_to_give_are_passed_over():
    governor = Governor[str]()
    rates = {"gate": 10.0, "square": 1.0, "park": 0.5}
    for _ in range(PATIENCE):
        changed = governor.observe(CROWDED, PRIORITIES, rates)
    assert changed
    assert governor.shares(PRIORITIES, rates) == {"gate": SHARES[0], "square": 1.0, "park": 1.0}
    for _ in range(RECOVERY):
        changed = governor.observe(CALM, PRIORITIES, rates)
    assert (changed, governor.level) == (True, 0)
    slow = dict.fromkeys(PRIORITIES, 1.0)
    assert not any(governor.observe(CROWDED, PRIORITIES, slow) for _ in range(5 * PATIENCE))
    assert governor.level == 0


def test_cameras_that_leave_take_their_steps_with_them_also_when_none_is_left():
    governor = Governor[str]()
    crowd(governor)
    assert governor.observe(MIDDLING, {}, {})
    assert governor.level == 0

"""Shares are fair at any load, and nobody who waits is passed over for long."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.scheduling import FairQueue

WEIGHTS = st.lists(st.sampled_from([0.5, 1, 2, 5, 10, 25]), min_size=1, max_size=12)


@given(WEIGHTS, st.integers(1, 400))
def test_those_that_always_wait_are_served_by_their_weights(weights, rounds):
    queue = FairQueue[int]()
    served = Counter[int]()
    for _ in range(rounds):
        key = queue.next(range(len(weights)))
        queue.served(key, weights[key])
        served[key] += 1
    for a, mine in enumerate(weights):
        for b, other in enumerate(weights):
            assert abs(served[a] / mine - served[b] / other) <= 1 / mine + 1 / other + 1e-9


@given(WEIGHTS, st.data())
def test_nobody_who_waits_starves_whatever_the_others_do(weights, data):
    queue = FairQueue[int]()
    patient = data.draw(st.integers(0, len(weights) - 1))
    since = Counter[int]()
    for _ in range(200):
        others = data.draw(st.sets(st.integers(0, len(weights) - 1))) if len(weights) > 1 else set()
        key = queue.next(sorted({patient, *others}))
        queue.served(key, weights[key])
        since[key] += 1
        if key == patient:
            since.clear()
        for other, turns in since.items():
            assert turns <= weights[other] / weights[patient] + 2


def test_an_idle_camera_saves_up_no_turns():
    queue = FairQueue[str]()
    for _ in range(1000):
        queue.served(queue.next(["busy"]), 1)
    turns = []
    for _ in range(6):
        turns.append(queue.next(["busy", "new"]))
        queue.served(turns[-1], 1)
    assert turns.count("new") in {3, 4}


@pytest.mark.parametrize("keys", [["a", "b"], ["b", "a"]])
def test_a_tie_goes_to_the_first_that_is_named(keys):
    assert FairQueue[str]().next(keys) == keys[0]

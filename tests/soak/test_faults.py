"""The plan of a soak: seeded, complete, with pauses, and kills only where they spoil nothing."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.soak.faults import EARLY, FAULTS, FIRST, LAST, PAUSE, plan

SEEDS = st.integers(0, 10_000)


@given(SEEDS, st.integers(120, 7200))
def test_one_after_the_other_within_the_run(seed, seconds):
    planned = plan(seconds, seed)
    assert plan(seconds, seed) == planned
    assert planned[0].at == FIRST
    for one, following in itertools.pairwise(planned):
        assert one.at + one.seconds + PAUSE[0] <= following.at
    assert planned[-1].at + planned[-1].seconds <= seconds - LAST


@given(SEEDS)
def test_twenty_minutes_hold_every_kind_and_kill_the_program_early(seed):
    planned = plan(1200, seed)
    assert {one.fault.name for one in planned} == {fault.name for fault in FAULTS}
    kills = [one.at for one in planned if one.fault.early]
    assert max(kills) <= 1200 * EARLY
    assert all(one.at > max(kills) for one in planned if one.fault.late)


@pytest.mark.parametrize("seconds", [60, 75])
def test_a_run_without_room_has_no_faults(seconds):
    assert plan(seconds, 1) == []

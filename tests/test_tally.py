"""A violation is told many times and counted once."""

from __future__ import annotations

from uuid import UUID

from pipeline.tally import REMEMBERED, ToldViolations

from .store.makers import violation

FIRST, SECOND = UUID(int=1), UUID(int=2)


def test_a_violation_is_counted_once_in_each_row_however_often_it_is_told():
    told = ToldViolations()
    one, two = violation(1), violation(2)
    assert told.take([one, one], FIRST) == ([one], 1)
    assert told.take([two, one], FIRST) == ([two], 1)
    assert told.take([one], SECOND) == ([], 1)
    assert told.take([one], SECOND) == ([], 0)


def test_what_is_still_told_is_not_forgotten_for_what_is_new():
    told = ToldViolations()
    lasting = violation(0)
    told.take([lasting], FIRST)
    for number in range(1, 2 * REMEMBERED):
        told.take([violation(number), lasting], FIRST)
    assert told.take([lasting], FIRST) == ([], 0)
    assert told.take([violation(1)], FIRST)[1] == 1

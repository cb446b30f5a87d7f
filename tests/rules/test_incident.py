"""The view that an incident keeps: the best so far, in little memory once it stays the best."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np

from pipeline.frame import SETTLES, Frame
from pipeline.rules.incident import Incident, Sight

START = datetime(2026, 3, 1, tzinfo=UTC)


def sight(seconds: float, quality: float) -> Sight:
    frame = Frame("gate", round(seconds * 10), START + timedelta(seconds=seconds), np.zeros((36, 64, 3), np.uint8))
    return Sight(frame, (), quality)


def test_the_best_view_is_kept_and_the_earlier_of_two_that_are_as_good():
    first, better, alike, worse = sight(0, 0.5), sight(1, 0.8), sight(2, 0.8), sight(3, 0.6)
    incident = Incident(UUID(int=1), START, START, first)
    for one in (better, alike, worse):
        incident.hold(one)
    assert incident.peak is better
    assert incident.last == worse.frame.time


def test_a_view_that_stays_the_best_becomes_a_jpeg_and_a_better_one_is_whole_again():
    best = sight(0, 0.5)
    incident = Incident(UUID(int=1), START, START, best)
    incident.hold(sight(SETTLES.total_seconds() - 0.1, 0.5))
    assert best.frame.whole
    incident.hold(sight(SETTLES.total_seconds(), 0.5))
    assert not best.frame.whole
    assert incident.peak is best
    incident.hold(sight(10, 0.9))
    assert incident.peak.frame.whole

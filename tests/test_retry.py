"""How long a camera that failed waits."""

from __future__ import annotations

from pipeline.retry import LONGEST_WAIT, STEADY_SECONDS, Retries


def test_the_wait_doubles_until_the_camera_has_lived_a_while():
    now = [100.0]
    retries = Retries(lambda: now[0])
    waits = []
    for _ in range(8):
        retries.began("gate")
        waits.append(retries.failed("gate"))
        assert retries.remaining("gate") == waits[-1]
        now[0] += waits[-1]
        assert retries.remaining("gate") == 0
    assert waits == [1, 2, 4, 8, 16, 32, LONGEST_WAIT, LONGEST_WAIT]
    retries.began("gate")
    now[0] += STEADY_SECONDS
    assert retries.failed("gate") == 1


def test_a_changed_camera_is_tried_at_once():
    retries = Retries(lambda: 100.0)
    assert retries.remaining("gate") == 0
    retries.failed("gate")
    retries.failed("gate")
    retries.forget("gate")
    assert retries.remaining("gate") == 0
    assert retries.failed("gate") == 1

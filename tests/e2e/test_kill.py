"""A process killed without warning loses nothing and doubles nothing: the next one completes its work."""

from __future__ import annotations

import pytest

from tests.e2e import command

STREET = ("batch", "samples/street.mp4", "--camera", "street", "--config", str(command.STREAMS))


@pytest.mark.parametrize("arguments", [STREET, ("run", str(command.STREAMS))], ids=["batch", "run"])
def test_a_killed_run_is_completed_by_the_next(tmp_path, arguments):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    command.finish(command.start(*arguments, data=whole))
    expected = command.rows(whole)
    command.assert_packages_are_whole(whole, expected)

    process = command.start(*arguments, data=killed)
    command.wait_until(lambda: command.violations_stored(killed) > 0, process)
    process.kill()
    process.wait(10)
    command.finish(command.start(*arguments, data=killed))

    assert command.rows(killed) == expected
    command.assert_packages_are_whole(killed, expected)


def test_a_second_batch_skips_what_is_done(tmp_path):
    command.finish(command.start(*STREET, data=tmp_path))
    first = command.rows(tmp_path)
    output = command.finish(command.start(*STREET, data=tmp_path))
    assert "skipped" in output
    assert command.rows(tmp_path) == first

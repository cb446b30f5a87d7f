"""A process killed without warning loses nothing and doubles nothing: the next one completes its work."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest

from tests.e2e import command


def arguments_for(kind: str, folder: Path) -> tuple[str, ...]:
    """A batch over the street, or a run of the camera that sees the fire."""
    if kind == "run":
        return "run", str(command.register(folder, "fire", rate=6))
    streams = command.register(folder, "street", rate=8)
    return "batch", str(command.ROOT / "samples" / "street.mp4"), "--camera", "street", "--config", str(streams)


@pytest.mark.parametrize("kind", ["batch", "run"])
def test_a_killed_run_is_completed_by_the_next(tmp_path, kind):
    arguments = arguments_for(kind, tmp_path)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    command.finish(command.start(*arguments, data=whole))
    expected = command.rows(whole)
    command.assert_packages_are_whole(whole, expected)

    copytree(whole / "keys", killed / "keys")  # the same site signs its evidence with the same key
    process = command.start(*arguments, data=killed)
    command.wait_until(lambda: command.violations_stored(killed) > 0, process)
    process.kill()
    process.wait(10)
    output = command.finish(command.start(*arguments, data=killed))

    assert "skipped" not in output
    assert command.rows(killed) == expected
    command.assert_packages_are_whole(killed, expected)
    command.assert_every_entry_is_sealed(killed)

    if kind == "batch":  # what a finished run covers is not done again
        assert "skipped" in command.finish(command.start(*arguments, data=killed))
        assert command.rows(killed) == expected

"""docs/operations.md names tests, files and commands: they must exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.metrics import Metrics

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "operations.md").read_text("utf-8")


def test_every_fault_names_tests_that_exist():
    table = TEXT.split("## What happens when something breaks")[1].split("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][2:]
    assert len(rows) > 15
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", row)
        assert named, row
        for file, function in named:
            assert f"def {function}" in (ROOT / file).read_text("utf-8"), (file, function)


def test_every_metric_exists():
    known = {sample.name for metric in Metrics().registry.collect() for sample in metric.samples}
    known |= {metric.name for metric in Metrics().registry.collect()}
    assert set(re.findall(r"`(matthan_\w+?)(?:_total)?`", TEXT)) <= known


@pytest.mark.parametrize("command", sorted(set(re.findall(r"(?m)(?:^|`|bin/)matthan ([a-z]+)", TEXT))))
def test_every_command_exists(command):
    assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0


def test_every_link_leads_somewhere():
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", TEXT):
        assert (ROOT / "docs" / target).exists(), target

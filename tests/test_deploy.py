"""The units and the Containerfile: what can be checked of them without systemd or a container engine running."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.paths import DataFolder

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
UNITS = sorted(DEPLOY.glob("*.service"))
needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")


def analyse(unit: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """systemd-analyze on a unit whose program is one that exists here."""
    copy = folder / unit.name
    copy.write_text(unit.read_text("utf-8").replace("/opt/matthan/bin/matthan", sys.executable), "utf-8")
    command = ["systemd-analyze", *arguments, str(copy)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_understands_every_line(unit, tmp_path):
    found = analyse(unit, tmp_path, "verify", "--man=no", "--recursive-errors=no")
    assert found.returncode == 0, found.stderr
    assert unit.name not in found.stderr


@needs_systemd
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_the_units_are_hardened(unit, tmp_path):
    found = analyse(unit, tmp_path, "security", "--offline=yes", "--threshold=20", "--no-pager")
    assert found.returncode == 0, found.stdout[-300:]


def test_a_unit_gives_the_program_the_time_it_takes_and_more():
    unit = (DEPLOY / "matthan.service").read_text("utf-8")
    assert int(re.search(r"TimeoutStopSec=(\d+)", unit)[1]) > 10
    assert int(re.search(r"WatchdogSec=(\d+)", unit)[1]) > 60  # the loop may stand still for a minute
    assert f"MATTHAN_DATA={DataFolder.resolve(Path('/var/lib/matthan')).root}" in unit


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Containerfile").read_text("utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [(name, rest) for line in lines if line.strip() for name, _, rest in [line.partition(" ")]]


def final_stage() -> list[tuple[str, str]]:
    steps = instructions()
    start = max(index for index, (name, _) in enumerate(steps) if name == "FROM")
    return steps[start:]


def test_the_image_runs_as_an_ordinary_user_and_says_how_it_is():
    steps = dict(final_stage())
    assert int(steps["USER"]) > 0
    assert "/health/live" in steps["HEALTHCHECK"]
    assert steps["VOLUME"] == "/var/lib/matthan"
    assert not any(name == "USER" and rest in {"0", "root"} for name, rest in final_stage())


def test_base_images_have_plain_names_and_a_version():
    for name, rest in instructions():
        if name == "FROM":
            assert re.fullmatch(r"python:3\.\d+-slim( AS \w+)?", rest), rest


def test_everything_that_is_copied_exists_and_everything_that_is_installed_is_copied():
    copied = {
        source.rstrip("/")
        for name, rest in instructions()
        if name == "COPY" and not rest.startswith("--from")
        for source in shlex.split(rest)[:-1]
    }
    assert all((ROOT / source).exists() for source in copied)
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    packages = re.search(r"packages = \[(.*?)\]\n", project)
    assert packages is not None
    wanted = set(re.findall(r'"(\w+)"', packages[1])) | {"pyproject.toml", "README.md", "LICENSE", "streams.yaml"}
    wanted |= {"hatch_build.py"} if "build.hooks.custom" in project else set()
    assert wanted <= copied


def test_the_install_is_locked():
    installs = [rest for name, rest in instructions() if name == "RUN" and "pip install" in rest]
    assert installs
    assert all("--no-deps" in rest for rest in installs)
    assert "-r requirements.lock" in installs[0]

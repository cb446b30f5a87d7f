"""`matthan demo`: the embedded samples through the production code, and whether the right things were found."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path

from rich.console import Console
from rich.table import Table

from pipeline.config import Config, load
from pipeline.installation import Installation
from pipeline.live import Live
from pipeline.paths import DataFolder
from pipeline.progress import RunProgress
from pipeline.stills import Stills
from pipeline.store.records import ViolationSummary
from samples import load_truth, sample_paths

LEEWAY = timedelta(seconds=2)
"""How far apart a violation and its truth may lie and still be the same: rules confirm over time."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A violation that a sample really contains."""

    camera: str
    kind: str
    where: str
    start: datetime
    end: datetime

    def matches(self, found: ViolationSummary) -> bool:
        return (
            (self.camera, self.kind) == (found.camera, found.kind)
            and found.start <= self.end + LEEWAY
            and (found.end or found.start) >= self.start - LEEWAY
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the demo found beside what the samples contain."""

    config: Config
    found: tuple[ViolationSummary, ...]
    missing: tuple[Expected, ...]
    unexpected: tuple[ViolationSummary, ...]
    failures: tuple[str, ...]

    @property
    def as_expected(self) -> bool:
        return not (self.missing or self.unexpected or self.failures)


def streams_path() -> Path:
    """The example registration, which stands beside the samples package in a checkout and when installed."""
    return Path(str(files("samples"))).parent / "streams.yaml"


def run(data: DataFolder, console: Console, stop: threading.Event) -> Outcome:
    """Run the example registration as `matthan run` does, and compare with the truth of the samples.

    Raises:
        MatThanError: the installation is incomplete, or the data folder or its database cannot be used.
    """
    config = load(streams_path())
    with (
        Installation.open(config, data, config.active_cameras) as installation,
        Stills(data.stills) as installation.stills,
    ):
        with RunProgress(console) as progress:
            live = Live(installation, stop)
            live.run(progress.update)
        found = tuple(
            violation
            for violation in installation.repository.violations(limit=500).items
            if violation.camera in {camera.id for camera in config.active_cameras}
        )
    missing, unexpected = compare(expected_violations(config), found)
    failures = tuple(f"{camera}: {reason}" for camera, reason in live.failures.items())
    return Outcome(config, tuple(reversed(found)), missing, unexpected, failures)


def expected_violations(config: Config) -> list[Expected]:
    """What the truth beside each sample clip says, for the cameras that play it."""
    truths = {clip.name: load_truth(truth) for clip, truth in sample_paths().values()}
    expected = []
    for camera in config.active_cameras:
        truth = truths.get(Path(camera.source.redacted).name)
        if truth is None:
            continue
        begin = camera.start or truth.anchor
        expected += [
            Expected(
                camera.id,
                incident.kind,
                incident.where,
                begin + timedelta(seconds=incident.start_s),
                begin + timedelta(seconds=incident.end_s),
            )
            for incident in truth.violations
        ]
    return expected


def compare(
    expected: Sequence[Expected], found: Sequence[ViolationSummary]
) -> tuple[tuple[Expected, ...], tuple[ViolationSummary, ...]]:
    """What is missing and what is too much; each found violation answers for one expected one."""
    left = sorted(found, key=lambda violation: violation.start)
    missing = []
    for wanted in sorted(expected, key=lambda wanted: wanted.start):
        match = next((violation for violation in left if wanted.matches(violation)), None)
        if match is None:
            missing.append(wanted)
        else:
            left.remove(match)
    return tuple(missing), tuple(left)


def table(outcome: Outcome) -> Table:
    """The violations found, for the terminal, in the site's time zone."""
    drawn = Table("camera", "violation", "from", "to", "by", "plate", "confidence", title="Violations found")
    for violation in outcome.found:
        zone = outcome.config.camera(violation.camera).zone
        drawn.add_row(
            violation.camera,
            violation.kind,
            f"{violation.start.astimezone(zone):%H:%M:%S.%f}"[:-5],
            f"{violation.end.astimezone(zone):%H:%M:%S.%f}"[:-5] if violation.end else "lasts",
            violation.label,
            violation.plate_text or "",
            f"{violation.confidence:.2f}",
        )
    return drawn


def complaints(outcome: Outcome) -> list[str]:
    """What is not as the samples' truth says, a line each."""
    return [
        *(f"not found: {one.kind} on {one.camera} ({one.where}) at {one.start:%H:%M:%S}Z" for one in outcome.missing),
        *(f"not expected: {one.kind} on {one.camera} at {one.start:%H:%M:%S}Z" for one in outcome.unexpected),
        *outcome.failures,
    ]

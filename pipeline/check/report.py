"""What `matthan check` found, as data and as something rich can print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.table import Table
from rich.text import Text

from pipeline.check.probing import CameraProbe
from pipeline.config import Config, load
from pipeline.detectors import Runtime, load_detector
from pipeline.detectors.manifest import Manifest
from pipeline.errors import ConfigError, MatThanError, Problem
from pipeline.paths import DataFolder


@dataclass(frozen=True, slots=True)
class Report:
    """The verdict on a streams.yaml: `config` when it can be read, else the `problems` in file order.

    `faults` are those outside the file: models that are missing or altered, a provider that is not installed.
    """

    file: Path
    config: Config | None
    problems: tuple[Problem, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        return self.config is not None and not self.problems and not self.faults

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for problem in self.problems:
            place = f"{problem.file}:{problem.line}:{problem.column}" if problem.line else problem.file
            field = f"{problem.field}: " if problem.field else ""
            yield Text.assemble((f"{place}: ", "bold"), (field, "cyan"), problem.message)
        for fault in self.faults:
            yield Text(fault)
        count = len(self.problems) + len(self.faults)
        if count:
            yield Text(f"{count} {'problem' if count == 1 else 'problems'}", style="bold red")
        elif self.config is not None:
            yield Text(f"{self.file}: good; {summary(self.config)}", style="green")


def check(path: Path, environment: Mapping[str, str] | None = None, data: DataFolder | None = None) -> Report:
    """Validate a streams.yaml and load every model that it uses.

    Raises:
        ModelError: the manifest of models itself cannot be read.
        PluginError: a rule or detector plugin does not load.
    """
    data = data or DataFolder.resolve()
    known = {model.name: model.classes for model in Manifest.load(data)}
    try:
        config = load(path, environment, known)
    except ConfigError as error:
        return Report(path, None, error.problems)
    return Report(path, config, faults=tuple(_unfit_models(config, data)))


def _unfit_models(config: Config, data: DataFolder) -> list[str]:
    runtime = Runtime(config.inference.provider, config.inference.threads)
    faults: dict[str, None] = {}
    for name in sorted({detector.model for camera in config.active_cameras for detector in camera.detectors}):
        try:
            load_detector(name, runtime=runtime, data=data)
        except MatThanError as error:
            faults[str(error)] = None
    return list(faults)


def summary(config: Config) -> str:
    """`3 cameras (1 not enabled), 4 rules`."""
    cameras, active = len(config.cameras), len(config.active_cameras)
    rules = sum(len(camera.rules) for camera in config.active_cameras)
    off = f" ({cameras - active} not enabled)" if active < cameras else ""
    return f"{cameras} {'camera' if cameras == 1 else 'cameras'}{off}, {rules} {'rule' if rules == 1 else 'rules'}"


def probe_table(found: Sequence[CameraProbe], config: Config) -> Group:
    """A table of the cameras that gave a picture, with times in their zones, then a line for each that did not."""
    table = Table(title=config.site.name or None, title_justify="left")
    for heading in ("camera", "video", "frames a second", "clock", "first frame"):
        table.add_column(heading, overflow="fold")
    lines = []
    for one in found:
        if one.error is not None:
            error = one.error.removeprefix(f"camera {one.camera}: ")
            source = "" if one.source in error else f" ({one.source})"
            lines.append(Text.assemble((f"{one.camera}: ", "bold"), (error, "red"), source))
            continue
        first = one.first.astimezone(config.camera(one.camera).zone) if one.first else None
        rates = f"{_rate(one.measured_rate)} ({_rate(one.declared_rate)} declared)"
        table.add_row(one.camera, f"{one.codec} {one.width}×{one.height}", rates, one.clock, _moment(first))
    return Group(*([table] if table.rows else []), *lines)


def _rate(rate: float | None) -> str:
    return "unknown" if rate is None else f"{rate:.4g}"


def _moment(time: datetime | None) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S %z") if time else ""

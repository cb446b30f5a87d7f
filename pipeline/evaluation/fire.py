"""Fire alarms on recordings, at the default settings.

A recording `fire_*` shows a fire: from the first frame on, or from the first annotated flame where a `.gt.xml`
lies beside it. Every other recording shows none, so each alarm there is a false one. Samples bring their truth.
The delay is from the first visible flame to the moment the alarm is raised.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2

from pipeline.detectors import Runtime
from pipeline.errors import MatThanError
from pipeline.evaluation.playback import Player
from pipeline.evaluation.report import Report, Row
from samples import load_truth, sample_paths

FILMS = (".mp4", ".avi", ".mkv", ".wmv", ".ts")
RULE = {"kind": "fire"}
HOUR = 3600


@dataclass(frozen=True, slots=True)
class Clip:
    """A recording; `flame` is when the first flame shows, in seconds, None when there is no fire in it."""

    path: Path
    flame: float | None

    @property
    def name(self) -> str:
        return self.path.name


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the rule did on one clip: `alarms` are the moments at which it was raised, in seconds."""

    clip: Clip
    seconds: float
    alarms: tuple[float, ...]

    @property
    def delay(self) -> float | None:
        """Seconds from the first flame to the first alarm after it; None when there was none."""
        if self.clip.flame is None:
            return None
        return next((alarm - self.clip.flame for alarm in self.alarms if alarm >= self.clip.flame), None)

    @property
    def false(self) -> int:
        """Alarms without a fire, and more than one alarm on one fire."""
        return len(self.alarms) - (self.delay is not None)

    def rows(self) -> Iterator[Row]:
        if self.clip.flame is not None:
            yield Row(self.clip.name, "fires found", float(self.delay is not None))
            if self.delay is not None:
                yield Row(self.clip.name, "alarm delay", self.delay, "s")
        yield Row(self.clip.name, "false alarms", self.false)


def evaluate(data: Path, *, runtime: Runtime = Runtime()) -> Report:  # noqa: B008 - frozen
    """Play every recording under `data`, and the samples.

    Raises:
        MatThanError: there are no recordings, or the model is missing.
    """
    player = Player("hazard-nano", runtime)
    outcomes = [measure(player, clip) for clip in clips(data)]
    rows = [row for outcome in outcomes for row in outcome.rows()]
    return Report("fire", (*rows, *summary(outcomes)), lambda path: _plot(outcomes, path))


def clips(data: Path) -> list[Clip]:
    """The recordings under `data`, and the samples that are rendered."""
    films = sorted(path for path in (data / "video").glob("*") if path.suffix in FILMS)
    if not films:
        raise MatThanError(f"{data / 'video'}: no recordings there; the evaluation data are not complete")
    found = [Clip(film, first_flame(film) if film.name.startswith("fire_") else None) for film in films]
    for recording, described in sample_paths().values():
        if recording.is_file() and described.is_file():
            fires = [violation for violation in load_truth(described).violations if violation.kind == "fire"]
            found.append(Clip(recording, min((fire.start_s for fire in fires), default=None)))
    return found


def first_flame(film: Path) -> float:
    """When the first flame of a recording with fire is annotated, in seconds; 0 without annotations."""
    truth = film.with_suffix(".gt.xml")
    if not truth.is_file():
        return 0.0
    storage = cv2.FileStorage(str(truth), cv2.FILE_STORAGE_READ)
    frames, rate = storage.getNode("frames"), storage.getNode("frameRate").real()
    for place in range(frames.size()):
        if frames.at(place).getNode("annotations").size():
            return float(frames.at(place).getNode("frameNumber").real() / rate)
    raise MatThanError(f"{truth}: no flame is annotated")


def measure(player: Player, clip: Clip) -> Outcome:
    """Play one clip and note when alarms are raised."""
    seconds, alarms = 0.0, []
    for step in player.play(clip.path, [RULE]):
        seconds = step.seconds
        alarms += [seconds for violation in step.findings.violations if violation.end is None]
    return Outcome(clip, seconds, tuple(alarms))


def summary(outcomes: list[Outcome]) -> Iterator[Row]:
    """Over all clips: recall, mean delay, false alarms per hour."""
    fires = [outcome for outcome in outcomes if outcome.clip.flame is not None]
    delays = [outcome.delay for outcome in fires if outcome.delay is not None]
    hours = sum(outcome.seconds for outcome in outcomes) / HOUR
    if fires:
        yield Row("all", "event recall", len(delays) / len(fires))
    if delays:
        yield Row("all", "mean alarm delay", sum(delays) / len(delays), "s")
    yield Row("all", "footage", hours * 60, "min")
    if hours:
        yield Row("all", "false alarms per hour", sum(outcome.false for outcome in outcomes) / hours)


def _plot(outcomes: list[Outcome], path: Path) -> None:
    """Each clip as a bar of its length, with the first flame and the alarms on it."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - an optional package: the evaluation extra

    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.add_subplot(xlabel="seconds", title="Fire alarms (red) and first visible flames (orange)")
    names = [outcome.clip.name for outcome in outcomes]
    axes.barh(names, [outcome.seconds for outcome in outcomes], color="#d5dbe1")
    for name, outcome in zip(names, outcomes, strict=True):
        if outcome.clip.flame is not None:
            axes.plot([outcome.clip.flame], [name], "o", color="#e08a00")
        axes.plot(outcome.alarms, [name] * len(outcome.alarms), "|", color="#c0392b", markersize=18, markeredgewidth=2)
    axes.invert_yaxis()
    figure.savefig(path, dpi=120)

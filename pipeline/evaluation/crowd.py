"""Crowd counts and events against ground truth.

On plaza.avi the counts once a second are compared with the people annotated in the same frame, and the
events at several limits with those that perfect counts would give by the same definition. On photos of crowds,
where heads are annotated, the whole picture is counted once as it is and once in tiles. Samples bring their truth.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import cv2
import numpy as np

from pipeline.detectors import Runtime, load_detector
from pipeline.errors import MatThanError
from pipeline.evaluation.playback import ANCHOR, Player
from pipeline.evaluation.report import Report, Row
from pipeline.geometry import Zone
from pipeline.rules.crowd import CrowdConfig
from pipeline.rules.incident import Switch
from pipeline.types import Violation
from samples import Truth, load_truth, sample_paths

LIMITS = (4, 5, 6, 7)
BANDS = ((0, 10), (10, 20), (20, 1000))
TILES = (2, 2)
MATCH = 0.5
"""Overlap in time, intersection over union, from which a reported event is the true one."""
LEAST_VISIBLE = 0.25
"""People of a sample that show less than this share are neither to be counted nor held against the count."""

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Series:
    """One clip: `times` in seconds, counts and true counts at them; reported and true events by limit."""

    name: str
    times: tuple[float, ...]
    counts: tuple[int, ...]
    truth: tuple[int, ...]
    events: dict[int, tuple[list[Span], list[Span]]]

    def rows(self) -> Iterator[Row]:
        errors = np.array(self.counts) - np.array(self.truth)
        yield Row(self.name, "count MAE", float(np.abs(errors).mean()), "people")
        yield Row(self.name, "count bias", float(errors.mean()), "people")
        for limit, (reported, true) in self.events.items():
            hits = sum(any(overlap(span, other) >= MATCH for other in reported) for span in true)
            precision = hits / len(reported) if reported else float(not true)
            recall = hits / len(true) if true else 1.0
            subset = f"{self.name}, {limit} or more"
            yield Row(subset, "true events", len(true))
            yield Row(subset, "event precision", precision)
            yield Row(subset, "event recall", recall)
            yield Row(subset, "event F1", 2 * precision * recall / max(1e-9, precision + recall))


def evaluate(data: Path, *, runtime: Runtime = Runtime()) -> Report:  # noqa: B008 - frozen
    """Measure plaza.avi, the photos under `data`, and the samples.

    Raises:
        MatThanError: a set or the model is missing.
    """
    player = Player("road-nano", runtime)
    series = [plaza(player, data / "video/plaza.avi"), *samples(player)]
    rows = [row for one in series for row in one.rows()]
    return Report("crowd", (*rows, *photos(data / "crowd", player, runtime)), lambda path: _plot(series, path))


def plaza(player: Player, film: Path) -> Series:
    """Count the whole picture of a recording with MOT annotations in `.gt.txt` beside it."""
    annotated = film.with_suffix(".gt.txt")
    if not annotated.is_file():
        raise MatThanError(f"{annotated}: not there; the evaluation data are not complete")
    people = Counter(int(line.split(",")[0]) - 1 for line in annotated.read_text().splitlines() if line)
    rules = [{"kind": "crowd", "id": f"crowd-{limit}", "people": limit} for limit in LIMITS]
    return count(player, film, rules, people)


def samples(player: Player) -> Iterator[Series]:
    """The samples with a crowd in them, each in its zone."""
    for film, described in sample_paths().values():
        if not (film.is_file() and described.is_file()):
            continue
        truth = load_truth(described)
        crowd = next((violation for violation in truth.violations if violation.kind == "crowd"), None)
        if crowd is None or crowd.limit is None:
            continue
        zone = next(zone for zone in truth.zones if zone.id == crowd.where)
        rule = {"kind": "crowd", "id": f"crowd-{crowd.limit}", "people": crowd.limit, "seconds": 2, "zones": [zone.id]}
        zones = [{"id": zone.id, "polygon": zone.polygon}]
        yield count(player, film, [rule], _people_in_zone(truth, zone.polygon), zones=zones)


def count(player: Player, film: Path, rules: Sequence[dict[str, Any]], people: Counter[int], **settings: Any) -> Series:
    """Play a film; `people` is the true number in each decoded frame."""
    wanted = [Reference.of(CrowdConfig.model_validate(rule)) for rule in rules]
    found: dict[UUID, Violation] = {}
    samples: list[tuple[float, int, int]] = []
    for step in player.play(film, rules, **settings):
        for reference in wanted:
            reference.update(step.seconds, people[step.index])
        found |= {violation.id: violation for violation in step.findings.violations}
        counts = [one.count for one in step.findings.counts if one.rule == wanted[0].config.name]
        samples += [(step.seconds, number, people[step.index]) for number in counts]
    events = {
        reference.config.people: (
            [_span(one) for one in found.values() if one.rule == reference.config.name],
            reference.finish(),
        )
        for reference in wanted
    }
    times, numbers, truth = zip(*samples, strict=True)
    return Series(film.name, times, numbers, truth, events)


@dataclass(slots=True, eq=False)
class Reference:
    """The events that perfect counts give by the rule's own definition."""

    config: CrowdConfig
    switch: Switch
    spans: list[Span] = field(default_factory=list)
    start: float | None = None
    last: float = 0.0

    @classmethod
    def of(cls, config: CrowdConfig) -> Reference:
        gone = config.people * config.leave_ratio
        return cls(config, Switch(config.people, gone, config.seconds, config.leave_seconds))

    def update(self, seconds: float, people: int) -> None:
        if self.switch.update(ANCHOR + timedelta(seconds=seconds), people) and self.switch.since and self.switch.last:
            self.start = (self.switch.since - ANCHOR).total_seconds()
            self.last = (self.switch.last - ANCHOR).total_seconds()
        else:
            self.finish()

    def finish(self) -> list[Span]:
        """All spans, with the one that is still open."""
        if self.start is not None:
            self.spans.append((self.start, self.last))
            self.start = None
        return self.spans


def _span(violation: Violation) -> Span:
    end = violation.end or violation.peak
    return (violation.start - ANCHOR).total_seconds(), (end - ANCHOR).total_seconds()


def overlap(first: Span, second: Span) -> float:
    """Intersection over union of two spans of time."""
    shared = min(first[1], second[1]) - max(first[0], second[0])
    return max(0.0, shared) / max(1e-9, max(first[1], second[1]) - min(first[0], second[0]))


def photos(folder: Path, player: Player, runtime: Runtime) -> Iterator[Row]:
    """Mean error of the count on photos, by the true number of people, whole and in tiles."""
    listed = folder / "heads.tsv"
    if not listed.is_file():
        raise MatThanError(f"{listed}: not there; the evaluation data are not complete")
    with listed.open(newline="") as lines:
        truth = {row["image"]: int(row["count"]) for row in csv.DictReader(lines, delimiter="\t")}
    score = CrowdConfig(kind="crowd").score
    tiled = load_detector(player.detector.name, slices=TILES, runtime=runtime)
    for detector, way in ((player.detector, "whole"), (tiled, f"tiles {TILES[0]}x{TILES[1]}")):
        errors = []
        for name, number in truth.items():
            image = cv2.imread(str(folder / name))
            if image is None:
                raise MatThanError(f"{folder / name}: no picture, or it cannot be read")
            seen = detector.detect([np.asarray(image, np.uint8)])[0].of({"person"}, score)
            errors.append((number, len(seen) - number))
        for least, most in BANDS:
            inside = np.array([error for number, error in errors if least <= number < most])
            if len(inside):
                band = f"photos, {least}–{most - 1} people" if most < 1000 else f"photos, {least} people or more"
                yield Row(band, f"count MAE, {way}", float(np.abs(inside).mean()), "people")
                yield Row(band, f"count bias, {way}", float(inside.mean()), "people")


def _people_in_zone(truth: Truth, polygon: Sequence[tuple[float, float]]) -> Counter[int]:
    zone = Zone("", np.asarray(polygon, np.float64) * (truth.width, truth.height))
    rows = [
        (row.frame, (row.box[0] + row.box[2]) / 2, row.box[3])
        for row in truth.records
        if truth.objects[row.object].label == "person" and row.visible >= LEAST_VISIBLE
    ]
    inside = zone.contains(np.array([row[1:] for row in rows]).reshape(-1, 2))
    return Counter(row[0] for row, there in zip(rows, inside, strict=True) if there)


def _plot(series: Sequence[Series], path: Path) -> None:
    """Counts and true counts over time, one panel a clip."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - an optional package: the evaluation extra

    figure = Figure(figsize=(9, 3 * len(series)), layout="constrained")
    panels = figure.subplots(len(series), squeeze=False)[:, 0]
    for axes, one in zip(panels, series, strict=True):
        axes.step(one.times, one.truth, where="post", label="people there", color="#7d8790")
        axes.step(one.times, one.counts, where="post", label="people counted", color="#2a7f62")
        axes.set(title=one.name, xlabel="seconds", ylabel="people")
        axes.legend()
    figure.savefig(path, dpi=120)

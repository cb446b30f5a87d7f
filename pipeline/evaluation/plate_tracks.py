"""The plate rule on the sample clips: true boxes as tracks, so that reading and voting alone are measured."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import mean

from pipeline.detectors.plates import PlateReader
from pipeline.detectors.plates.formats import normalise
from pipeline.detectors.plates.grammar import load_grammar
from pipeline.evaluation.report import Row
from pipeline.frame import Frame
from pipeline.geometry import Layout
from pipeline.rules.base import VEHICLES, RuleContext, Scene
from pipeline.rules.plate import Plate, PlateConfig
from pipeline.sources.recording import Recording
from pipeline.types import Findings, PlateRead, Track
from samples import Truth, load_truth, sample_paths

COUNTRY = "vn"
WHOLE = 0.95
"""Visible part of a plate from which it can be read."""


def plates_of_samples(reader: Callable[[str], PlateReader]) -> Iterator[Row]:
    """Exact match of the final vote for each vehicle whose plate is large enough, wrong votes, and reads spent."""
    for name, (clip, path) in sorted(sample_paths().items()):
        if not clip.is_file() or not path.is_file():
            continue
        truth = load_truth(path)
        wanted = readable(truth, PlateConfig(kind="plate").min_plate_width)
        if wanted:
            yield from _measure(f"sample {name}", clip, truth, wanted, reader)


def readable(truth: Truth, minimum_width: float) -> dict[int, str]:
    """Text of the plates, by vehicle, that are at least so wide and wholly in view in some frame."""
    found = {}
    for record in truth.records:
        seen = truth.objects[record.object]
        wide = record.visible >= WHOLE and record.box[2] - record.box[0] >= minimum_width
        if seen.label == "plate" and seen.carrier is not None and seen.plate and wide:
            found[seen.carrier] = normalise(seen.plate)
    return found


def _measure(
    name: str, clip: Path, truth: Truth, wanted: dict[int, str], reader: Callable[[str], PlateReader]
) -> Iterator[Row]:
    reads = {read.track: read for read in _run(clip, truth, reader) if read.final}
    plates = {identity: seen.plate for identity, seen in truth.objects.items() if seen.plate}
    grammar = load_grammar(COUNTRY)
    right = [
        (read := reads.get(vehicle)) is not None and read.text is not None and grammar.equivalent(read.text, text)
        for vehicle, text in wanted.items()
    ]
    wrong = [
        read
        for vehicle, read in reads.items()
        if read.text and not grammar.equivalent(read.text, normalise(plates.get(vehicle) or ""))
    ]
    yield Row(name, "vehicles with a readable plate", float(len(wanted)), "vehicles")
    yield Row(name, "exact match of the vote", mean(right))
    yield Row(name, "wrong votes", float(len(wrong)), "vehicles")
    yield Row(name, "reads a vehicle", mean(len(read.reads) for read in reads.values()) if reads else 0.0, "reads")


def _run(clip: Path, truth: Truth, reader: Callable[[str], PlateReader]) -> tuple[PlateRead, ...]:
    """All plate reads of the rule over one clip."""
    rule = Plate(PlateConfig(kind="plate", country=COUNTRY), RuleContext("sample", "", reader))
    seen = defaultdict(list)
    for record in truth.records:
        if truth.objects[record.object].label in VEHICLES:
            seen[record.frame].append(record)
    layout = Layout(truth.width, truth.height)
    started: dict[int, Frame] = {}
    found: list[Findings] = []
    for frame in Recording(clip, "sample", start=truth.anchor).frames(lambda _: None):
        tracks = []
        for record in seen[frame.index]:
            begin = started.setdefault(record.object, frame)
            label = truth.objects[record.object].label
            hits = frame.index - begin.index + 1
            tracks.append(Track(record.object, label, record.box, 1.0, begin.time, hits))
        found.append(rule.update(Scene(frame, {}, tracks, [], layout, VEHICLES)))
    return Findings.concatenate([*found, rule.finish()]).plates

"""Plates of any width, made from those that can be read: single reads, and the vote over a few sights."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from pipeline.detectors.plates import PlateCandidate, PlateReader
from pipeline.detectors.plates.grammar import load_grammar
from pipeline.detectors.plates.vote import vote
from pipeline.evaluation.plate_outcomes import Outcome
from pipeline.evaluation.report import Row
from pipeline.frame import Image
from pipeline.rules.plate import PlateConfig
from pipeline.types import Box, Floats

SIGHTS = 3
"""Reads of one vehicle, as the rule spends them at most."""

WIDTHS = (26, 30, 34, 38, 42, 46, 50, 56, 64, 76, 90)
BANDS = (0, 32, 40, 50, 64, 80, 1000)
"""Widths of plates drawn from, and the limits of what is reported together, pixels."""

AROUND = 1.0
"""How much of the vehicle around the plate is shown, in widths of the plate, on each side."""

OVERSAMPLED = 4


@dataclass(frozen=True, slots=True)
class Known:
    """A plate whose text is known, and where it is in its picture."""

    picture: Image
    box: Box
    text: str
    country: str


def degrade(known: Known, width: float, draw: np.random.Generator) -> list[Image]:
    """A few sights of one vehicle whose plate is about `width` pixels wide: uint8 [H, W, 3] BGR.

    All share their focus, light, sensor and codec; place, size, slope and motion differ from sight to sight, as
    they do from frame to frame.
    """
    focus, gain, noise = draw.uniform(0.3, 0.8), draw.uniform(0.75, 1.1), draw.uniform(1.5, 4)
    quality, motion = int(draw.integers(45, 88)), draw.uniform(0, 0.6)
    sights = []
    for _ in range(SIGHTS):
        scale = width * draw.uniform(0.93, 1.07) / (known.box[2] - known.box[0])
        small = _placed(known, scale, draw)
        blurred = cv2.GaussianBlur(small, (0, 0), float(np.hypot(focus, motion * draw.uniform(0.3, 1))), sigmaY=focus)
        noisy = np.clip(blurred * gain + draw.normal(0, noise, blurred.shape), 0, 255).astype(np.uint8)
        coded = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        sights.append(np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8))
    return sights


def _placed(known: Known, scale: float, draw: np.random.Generator) -> Image:
    """The plate and what is around it, a little turned and sheared, between the pixels.

    Where the picture ends the vehicle goes on in one colour: streaks of repeated border hide plates from the localiser.
    """
    left, top, right, bottom = known.box
    across, down = (right - left) * (1 + 2 * AROUND), (bottom - top) + (right - left) * 2 * AROUND
    size = max(8, round(across * scale)), max(8, round(down * scale))
    turn, shear = np.radians(draw.uniform(-1.5, 1.5)), draw.uniform(-0.04, 0.04)
    way: Floats = np.array([[np.cos(turn), shear - np.sin(turn)], [np.sin(turn), np.cos(turn)]]) * scale
    centre = np.array([size[0] / 2, size[1] / 2]) + draw.uniform(-0.5, 0.5, 2)
    shift = centre - way @ np.array([(left + right) / 2, (top + bottom) / 2])
    matrix = np.column_stack([way, shift]) * OVERSAMPLED
    source = cv2.GaussianBlur(known.picture, (0, 0), 0.15 / scale) if scale < 0.6 else known.picture
    large = (size[0] * OVERSAMPLED, size[1] * OVERSAMPLED)
    edge = np.concatenate([source[0], source[-1], source[:, 0], source[:, -1]])
    beyond = tuple(float(value) for value in np.median(edge, axis=0))
    drawn = cv2.warpAffine(source, matrix, large, flags=cv2.INTER_LINEAR, borderValue=beyond)
    return np.asarray(cv2.resize(drawn, size, interpolation=cv2.INTER_AREA), np.uint8)


@dataclass(frozen=True, slots=True)
class Sights:
    """What came of one plate at one width: the outcome of each single read, and of their vote."""

    width: float
    single: tuple[Outcome, ...]
    voted: Outcome


def read_degraded(plates: Sequence[Known], reader: Callable[[str], PlateReader], seed: int = 5) -> list[Sights]:
    """Read each plate at one width drawn at random, never larger than it is."""
    draw, found = np.random.default_rng(seed), []
    for known in plates:
        width = float(draw.choice(WIDTHS))
        if width > 0.9 * (known.box[2] - known.box[0]):
            continue
        candidates = [one for one in reader(known.country).read(degrade(known, width, draw)) if one is not None]
        single = tuple(_outcome(known, *_best(one)) for one in candidates)
        missing = (Outcome(known.text, "", 0.0, exact=False),) * (SIGHTS - len(single))
        voted = vote(candidates, legible=0.0)
        found.append(Sights(width, (*single, *missing), _outcome(known, voted.text, voted.confidence)))
    return found


def _best(candidate: PlateCandidate) -> tuple[str | None, float]:
    """The likeliest text, legible or not, with its confidence."""
    if candidate.text is not None:
        return candidate.text, candidate.confidence
    return candidate.alternatives[0] if candidate.alternatives else (None, 0.0)


def _outcome(known: Known, text: str | None, confidence: float) -> Outcome:
    exact = text is not None and load_grammar(known.country).equivalent(text, known.text)
    return Outcome(known.text, text or "", confidence, exact)


def width_rows(found: Sequence[Sights]) -> Iterator[Row]:
    """For each band of widths: texts given out that are right and wrong, singly and by the vote."""
    limit = PlateConfig(kind="plate").min_confidence
    bands: defaultdict[int, list[Sights]] = defaultdict(list)
    for sights in found:
        bands[int(np.digitize(sights.width, BANDS)) - 1].append(sights)
    for band, members in sorted(bands.items()):
        low, high = BANDS[band], BANDS[band + 1]
        name = f"plates made {f'{low}–{high}' if high < 1000 else f'{low} and more'} px wide"
        yield Row(name, "plates", float(len(members)), "plates")
        ways = {"one read": [one for each in members for one in each.single], "vote": [each.voted for each in members]}
        for way, outcomes in ways.items():
            given = [one.confidence >= limit for one in outcomes]
            right = [one.exact for one in outcomes]
            yield Row(name, f"{way}: best text right", float(np.mean(right)))
            yield Row(name, f"{way}: given out and right", float(np.mean(np.logical_and(given, right))))
            yield Row(name, f"{way}: given out and wrong", float(np.mean(np.logical_and(given, np.logical_not(right)))))


def calibration_error(outcomes: Sequence[Outcome], slots: int = 10) -> float:
    """Expected calibration error: mean difference of confidence and part right, over equal slots of confidence.

    Naeini et al., Obtaining well calibrated probabilities using Bayesian binning, AAAI 2015.
    """
    said = np.array([one.confidence for one in outcomes])
    right = np.array([one.exact for one in outcomes], np.float64)
    slot = np.clip((said * slots).astype(int), 0, slots - 1)
    return float(
        sum(abs(said[slot == one].mean() - right[slot == one].mean()) * (slot == one).mean() for one in np.unique(slot))
    )

"""How well a plate was read, and the picture of many such outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.detectors.plates.grammar import Grammar


@dataclass(frozen=True, slots=True)
class Outcome:
    """One plate of the truth, and the best reading of it that was offered, with its confidence."""

    plate: str
    text: str
    confidence: float
    exact: bool

    @property
    def characters(self) -> float:
        """Part of the signs that are right: 1 - edit distance / length, at least 0."""
        return max(0.0, 1 - edit_distance(self.plate, self.text) / len(self.plate))


def judge(plate: str, offers: Sequence[tuple[str, float]], grammar: Grammar) -> Outcome:
    """The offer that comes nearest to a listed plate."""
    if not offers:
        return Outcome(plate, "", 0.0, exact=False)
    text, confidence = min(
        offers, key=lambda offer: (not grammar.equivalent(offer[0], plate), edit_distance(offer[0], plate))
    )
    return Outcome(plate, text, confidence, grammar.equivalent(text, plate))


def edit_distance(first: str, second: str) -> int:
    """Insertions, deletions and substitutions between two texts (Levenshtein)."""
    before = list(range(len(second) + 1))
    for row, sign in enumerate(first, start=1):
        now = [row]
        for column, other in enumerate(second, start=1):
            now.append(min(before[column] + 1, now[-1] + 1, before[column - 1] + (sign != other)))
        before = now
    return before[-1]


def plot(path: Path, outcomes: Mapping[str, Sequence[Outcome]]) -> None:
    """Exact match of each set, and the reliability of the confidence."""
    import matplotlib.pyplot as plt  # noqa: PLC0415  (an optional package: the evaluation extra)

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5))
    names = list(outcomes)
    left.barh(names, [np.mean([one.exact for one in outcomes[name]]) for name in names])
    left.set(xlim=(0, 1), xlabel="exact match")
    left.invert_yaxis()
    pairs = [(one.confidence, one.exact) for group in outcomes.values() for one in group if one.text]
    edges = np.linspace(0.5, 1, 6)
    slots = np.clip(np.digitize([confidence for confidence, _ in pairs], edges) - 1, 0, len(edges) - 2)
    for slot in range(len(edges) - 1):
        inside = [pair for pair, where in zip(pairs, slots, strict=True) if where == slot]
        if inside:
            said, right_ = np.mean([pair[0] for pair in inside]), np.mean([pair[1] for pair in inside])
            right.scatter(said, right_, s=20 + 2 * len(inside), color="tab:blue")
            right.annotate(str(len(inside)), (said, right_), textcoords="offset points", xytext=(8, -4))
    right.plot([0.5, 1], [0.5, 1], color="grey", linewidth=1)
    right.set(xlabel="confidence", ylabel="part that is right", title="reliability (number of reads)")
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)

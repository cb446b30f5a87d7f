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


def plot(path: Path, outcomes: Mapping[str, Sequence[Outcome]], reliability: Mapping[str, Sequence[Outcome]]) -> None:
    """Exact match of each set, and how often what was read with some confidence is right."""
    import matplotlib.pyplot as plt  # noqa: PLC0415  (an optional package: the evaluation extra)

    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5))
    names = list(outcomes)
    left.barh(names, [np.mean([one.exact for one in outcomes[name]]) for name in names])
    left.set(xlim=(0, 1), xlabel="exact match")
    left.invert_yaxis()
    for way, reads in reliability.items():
        confidence = np.array([one.confidence for one in reads])
        exact = np.array([one.exact for one in reads], np.float64)
        slots = np.clip((confidence * 10).astype(int), 0, 9)
        filled = np.unique(slots)
        said = [confidence[slots == slot].mean() for slot in filled]
        held = [exact[slots == slot].mean() for slot in filled]
        sizes = [12 + 2 * (slots == slot).sum() for slot in filled]
        right.scatter(said, held, s=sizes, alpha=0.7, label=f"{way} ({len(reads)})")
    right.plot([0, 1], [0, 1], color="grey", linewidth=1)
    right.set(xlabel="confidence", ylabel="part that is right", title="reliability on plates made small")
    right.legend(loc="upper left")
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    plt.close(figure)

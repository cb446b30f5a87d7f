"""What the reviews say about the detections: how precise each rule is at each camera, and what would make it so.

A rejection counts against a rule only when the rule was wrong: a vehicle that was allowed to do what it did, or was
told to by the police, was seen rightly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from pipeline.review import RejectionReason, State

SEEN_RIGHTLY = frozenset({RejectionReason.PERMITTED, RejectionReason.DIRECTED_BY_POLICE})
NO_VERDICT = frozenset({RejectionReason.TEST, RejectionReason.ILLEGIBLE_PLATE, RejectionReason.WRONG_PLATE})
"""These say nothing about whether what was detected took place."""

CONFIRMED = frozenset({State.ACCEPTED, State.FORWARDED, State.CLOSED})
ENOUGH = 20
"""Fewer verdicts than this support no threshold."""

Z95 = 1.96


@dataclass(frozen=True, slots=True)
class Verdict:
    """One decided case: `right` is None when the decision says nothing about the detection."""

    camera: str
    rule: str
    confidence: float
    state: State
    reason: str

    @property
    def right(self) -> bool | None:
        if self.state in CONFIRMED or self.reason in SEEN_RIGHTLY:
            return True
        return False if self.state is State.REJECTED and self.reason not in NO_VERDICT else None


@dataclass(frozen=True, slots=True)
class Precision:
    """How often a rule was right at a camera, of the cases that people decided.

    `low` and `high` bound the precision with 95 % confidence (Wilson's interval). `threshold` is the lowest
    confidence from which on the target would have been met, None when none would or too few cases are decided;
    `kept` is the share of right detections that it would have kept.
    """

    camera: str
    rule: str
    right: int
    wrong: int
    reasons: Mapping[str, int]
    low: float
    high: float
    threshold: float | None
    kept: float | None

    @property
    def precision(self) -> float | None:
        decided = self.right + self.wrong
        return self.right / decided if decided else None


def precisions(verdicts: Iterable[Verdict], target: float) -> list[Precision]:
    """One for each camera and rule, in their order; `target` is the precision wanted (0-1)."""
    grouped: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in verdicts:
        grouped.setdefault((verdict.camera, verdict.rule), []).append(verdict)
    return [_precision(camera, rule, found, target) for (camera, rule), found in sorted(grouped.items())]


def wilson(right: int, total: int) -> tuple[float, float]:
    """Bounds of a share with 95 % confidence (E. B. Wilson, 1927, Journal of the American Statistical Association
    22: 209-212); (0, 1) when nothing was counted."""
    if not total:
        return 0.0, 1.0
    share, spread = right / total, Z95**2 / total
    middle = (share + spread / 2) / (1 + spread)
    margin = Z95 * sqrt(share * (1 - share) / total + spread / (4 * total)) / (1 + spread)
    return max(0.0, middle - margin), min(1.0, middle + margin)


def suggest_threshold(decided: Sequence[tuple[float, bool]], target: float) -> float | None:
    """The lowest confidence from which on at least `target` of the decided (confidence, right) cases are right, and
    enough of them remain; None when there is none."""
    falling = sorted(decided, key=lambda case: -case[0])
    found, right = None, 0
    for count, (confidence, is_right) in enumerate(falling, 1):
        right += is_right
        last_of_its_confidence = count == len(falling) or falling[count][0] < confidence
        if last_of_its_confidence and count >= ENOUGH and right / count >= target:
            found = confidence
    return found


def _precision(camera: str, rule: str, verdicts: Sequence[Verdict], target: float) -> Precision:
    decided = [(verdict.confidence, verdict.right) for verdict in verdicts if verdict.right is not None]
    right = sum(is_right for _, is_right in decided)
    threshold = suggest_threshold(decided, target)
    kept = sum(is_right for confidence, is_right in decided if threshold is not None and confidence >= threshold)
    low, high = wilson(right, len(decided))
    return Precision(
        camera=camera,
        rule=rule,
        right=right,
        wrong=len(decided) - right,
        reasons=dict(sorted(Counter(verdict.reason for verdict in verdicts if verdict.reason).items())),
        low=low,
        high=high,
        threshold=threshold,
        kept=kept / right if threshold is not None and right else None,
    )

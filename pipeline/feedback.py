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
NO_VERDICT = frozenset(
    {
        RejectionReason.TEST,
        RejectionReason.ILLEGIBLE_PLATE,
        RejectionReason.WRONG_PLATE,
        RejectionReason.POOR_EVIDENCE,
    }
)
"""These say nothing about whether what was detected took place. What officers reject for another reason counts as
wrong, so that nobody looks better than known."""

CONFIRMED = frozenset({State.ACCEPTED, State.FORWARDED, State.CLOSED})
ENOUGH = 20
"""Fewer verdicts than this support no threshold."""

Z95 = 1.96


@dataclass(frozen=True, slots=True)
class Verdict:
    """Decided cases that are alike, `count` of them: `right` is None when the decision says nothing about the
    detection."""

    camera: str
    rule: str
    confidence: float
    state: State
    reason: str
    count: int = 1

    @property
    def right(self) -> bool | None:
        return seen_rightly(self.state, self.reason)


@dataclass(frozen=True, slots=True)
class Precision:
    """How often a rule was right at a camera, of the cases that people decided.

    `silent` are those whose decision says nothing about it, duplicates among them. `low` and `high` bound the
    precision with 95 % confidence (Wilson's interval). `threshold` is the lowest confidence from which on the target
    would have been met, None when none would or too few cases are decided; `kept` is the share of right detections
    that it would have kept, `assured` the lower bound of the precision above it: it was chosen from these very cases,
    and only as many as there are speak for it.
    """

    camera: str
    rule: str
    right: int
    wrong: int
    silent: int
    reasons: Mapping[str, int]
    low: float
    high: float
    threshold: float | None
    kept: float | None
    assured: float | None

    @property
    def precision(self) -> float | None:
        decided = self.right + self.wrong
        return self.right / decided if decided else None

    @property
    def enough(self) -> bool:
        """Whether enough cases are decided for a threshold."""
        return self.right + self.wrong >= ENOUGH


@dataclass(frozen=True, slots=True)
class Threshold:
    """The lowest confidence from which on a target is met, and how many cases are right and wrong from there on."""

    confidence: float
    right: int
    wrong: int


def seen_rightly(state: State, reason: str) -> bool | None:
    """Whether what was detected took place, as the decision on the case has it; None when it does not say."""
    if state in CONFIRMED or reason in SEEN_RIGHTLY:
        return True
    return False if state is State.REJECTED and reason not in NO_VERDICT else None


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


def suggest_threshold(verdicts: Iterable[Verdict], target: float) -> Threshold | None:
    """The lowest confidence from which on at least `target` of what was decided is right, and enough of it remains;
    None when there is none."""
    steps: dict[float, list[int]] = {}
    for verdict in verdicts:
        if verdict.right is not None:
            steps.setdefault(verdict.confidence, [0, 0])[verdict.right] += verdict.count
    found, right, wrong = None, 0, 0
    for confidence in sorted(steps, reverse=True):
        wrong, right = wrong + steps[confidence][False], right + steps[confidence][True]
        if right + wrong >= ENOUGH and right / (right + wrong) >= target:
            found = Threshold(confidence, right, wrong)
    return found


def _precision(camera: str, rule: str, verdicts: Sequence[Verdict], target: float) -> Precision:
    counted: Counter[bool | None] = Counter()
    reasons: Counter[str] = Counter()
    for verdict in verdicts:
        counted[verdict.right] += verdict.count
        if verdict.reason:
            reasons[verdict.reason] += verdict.count
    right, wrong = counted[True], counted[False]
    low, high = wilson(right, right + wrong)
    threshold = suggest_threshold(verdicts, target)
    return Precision(
        camera=camera,
        rule=rule,
        right=right,
        wrong=wrong,
        silent=counted[None],
        reasons=dict(sorted(reasons.items(), key=lambda each: (-each[1], each[0]))),
        low=low,
        high=high,
        threshold=threshold.confidence if threshold else None,
        kept=threshold.right / right if threshold and right else None,
        assured=wilson(threshold.right, threshold.right + threshold.wrong)[0] if threshold else None,
    )

"""One answer from several reads of the same plate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.detectors.plates.reader import LEGIBLE, PlateCandidate

DEPENDENCE = 0.4
"""How much the reads of one track err alike, for they share light, angle and dirt: n telling reads weigh as n
to the power of 1 - DEPENDENCE independent ones."""

SAME_ERROR = 0.3
"""How probable it is that one more read errs to the very text that another erred to."""

RIVALS = 3


@dataclass(frozen=True, slots=True)
class Vote:
    """What the reads of one vehicle agree on.

    `text` is None when the plate is illegible; `confidence` is the estimated probability that `text` is right,
    or the best rival's when there is none. `reads` counts the plates that were seen, legible or not; `rivals`
    are the other texts offered, best first.
    """

    text: str | None
    confidence: float
    reads: int
    rivals: tuple[tuple[str, float], ...] = ()

    def besides(self, text: str | None) -> tuple[tuple[str, float], ...]:
        """The texts on offer but for the one that is told, best first: the vote's own too where that is not."""
        own = ((self.text, self.confidence),) if self.text is not None else ()
        return tuple(offer for offer in (*own, *self.rivals) if offer[0] != text)[:RIVALS]


def vote(candidates: Sequence[PlateCandidate], legible: float = LEGIBLE) -> Vote:
    """Weigh the reads of one track against each other.

    Each read speaks for the texts it offers by their confidence, and for a text that it did not offer by the
    doubt it has at the signs where that differs; a read that offers next to nothing speaks for and against
    none. The reads' opinions multiply (a product of experts, damped since they are not independent);
    "something else" is a rival too, the weaker the more reads agree, so that reads which contradict each other
    make the plate illegible rather than one of them right. Only texts that some read offers can win: no plate
    is made up of pieces.
    """
    offers = [_offers(candidate) for candidate in candidates]
    texts = sorted({text for offer in offers for text in offer})
    if not texts:
        return Vote(None, 0.0, len(candidates))
    # exactly rounded sums, so that the order of the reads cannot break a tie
    telling = math.fsum(1 - _left_open(offer) for offer in offers)
    damping = max(1.0, telling) ** -DEPENDENCE
    reads = list(zip(candidates, offers, strict=True))
    scores = [
        damping * math.fsum(math.log(_opinion(text, candidate, offer)) for candidate, offer in reads) for text in texts
    ]
    agreeing = max(sum(text in offer for offer in offers) for text in texts)
    open_to_all = damping * math.fsum(math.log(_left_open(offer)) for offer in offers)
    nothing = open_to_all + (agreeing - 1) * math.log(SAME_ERROR)
    whole = math.fsum(math.exp(score) for score in [*scores, nothing])
    shares = [math.exp(score) / whole for score in scores]
    ranked = sorted(zip(texts, shares, strict=True), key=lambda item: (-item[1], item[0]))
    best, confidence = ranked[0]
    if confidence >= legible:
        return Vote(best, confidence, len(candidates), tuple(ranked[1 : RIVALS + 1]))
    return Vote(None, confidence, len(candidates), tuple(ranked[:RIVALS]))


def _offers(candidate: PlateCandidate) -> Mapping[str, float]:
    """Each text that a read offers, with its confidence."""
    offered = dict(candidate.alternatives)
    if candidate.text is not None:
        offered[candidate.text] = candidate.confidence
    return offered


def _left_open(offer: Mapping[str, float]) -> float:
    return max(1.0 - sum(offer.values()), 1e-3)


def _opinion(text: str, candidate: PlateCandidate, offer: Mapping[str, float]) -> float:
    """How probable a read holds a text."""
    held = max(offer.get(text, 0.0), _left_open(offer) ** 2)
    read = candidate.text
    if read is None or len(read) != len(text):
        return held
    doubt = math.prod(
        (1.0 - sure) / 2 for sign, other, sure in zip(read, text, candidate.characters, strict=True) if sign != other
    )
    return max(held, candidate.confidence * doubt) if text != read else held

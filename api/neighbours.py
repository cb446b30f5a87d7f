"""The cases that stand beside a case, as a person may see them: what the API and the desk share."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

from pydantic import Field

from api.auth.guard import Identity
from api.reviews import plates_hidden, without_plate
from api.schemas import Answer, ViolationAnswer
from api.services import Services
from pipeline.store.casework import Neighbour
from pipeline.store.records import ViolationRecord
from pipeline.store.relations import Relation
from pipeline.types import EvidenceFile


class NeighbourAnswer(Answer):
    """A case beside another, and why it stands there."""

    violation: ViolationAnswer
    relations: list[Relation] = Field(examples=[["vehicle", "camera"]])

    @classmethod
    def of(cls, neighbour: Neighbour, files: tuple[EvidenceFile, ...]) -> Self:
        shown = ViolationAnswer.of_summary(neighbour.violation, files)
        if neighbour.hidden:
            shown = without_plate(shown)
        return cls(violation=shown, relations=list(neighbour.relations))


def neighbours(
    services: Services, identity: Identity, violation: ViolationRecord, *, blind: bool
) -> tuple[Neighbour, ...]:
    """Who is `blind` to the plate of this violation is shown none, and none is searched for. A neighbour whose own
    plate waits for an officer to read it shows none either, and that it has the same plate is not told."""
    found = services.repository.neighbours(violation, same_plate=not blind)
    waiting = plates_hidden(services, identity, [each.violation.id for each in found])
    shown = (_hidden(each) if blind or each.violation.id in waiting else each for each in found)
    return tuple(each for each in shown if each.relations)


def _hidden(neighbour: Neighbour) -> Neighbour:
    relations = tuple(relation for relation in neighbour.relations if relation is not Relation.PLATE)
    violation = replace(neighbour.violation, plate_text=None, plate_confidence=None)
    return Neighbour(violation, relations, hidden=True)

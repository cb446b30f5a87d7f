"""Which cases stand beside a case, and why: one statement, in which each search is a step into an index."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Integer, Row, Select, bindparam, literal, select, union_all

from pipeline.plate_text import plate_key
from pipeline.store.records import ViolationRecord
from pipeline.store.review_tables import Review
from pipeline.store.tables import Violation
from pipeline.store.violations import SUMMARY

NEAR = timedelta(minutes=5)
"""Cases of one camera that begin no further apart may be one incident told twice."""

MOST_OF_A_SIDE = 6
MOST_OF_A_PLATE = 12


class Relation(StrEnum):
    """Why a case stands beside another."""

    VEHICLE = "vehicle"
    DUPLICATE = "duplicate"
    PLATE = "plate"
    CAMERA = "camera"


RELATIONS = tuple(Relation)
ONE_VEHICLE = frozenset({Relation.VEHICLE, Relation.DUPLICATE})


def related(
    violation: ViolationRecord | Row[*tuple[Any, ...]], relations: Collection[Relation]
) -> tuple[CompoundSelect[Any], Mapping[str, Any]]:
    """The statement for the cases in these relations, and its parameters. Its rows are the relation's number in
    RELATIONS, then the columns of SUMMARY; a case stands in as many rows as it has relations."""
    plate = plate_key(violation.plate_text) if violation.plate_text and Relation.PLATE in relations else None
    values = {
        "violation": violation.id,
        "camera": violation.camera,
        "start": violation.start,
        "earliest": violation.start - NEAR,
        "latest": violation.start + NEAR,
        "track": violation.track,
        "run": violation.run,
        "read": violation.plate_read,
        "plate": plate,
    }
    return _statement(
        frozenset(relations),
        read=violation.plate_read is not None,
        track=violation.track is not None,
        plate=plate is not None,
    ), values


@cache
def _statement(relations: frozenset[Relation], *, read: bool, track: bool, plate: bool) -> CompoundSelect[Any]:
    """Built once for each kind of case: that takes longer than to carry it out."""
    here, began = Violation.camera == bindparam("camera"), Violation.start
    start, earliest, latest = (bindparam(name, type_=Violation.start.type) for name in ("start", "earliest", "latest"))
    repeats = select(Review.duplicate_of).where(Review.violation == bindparam("violation")).scalar_subquery()
    repeated = select(Review.violation).where(Review.duplicate_of == bindparam("violation"))
    searches = [
        _search(Relation.DUPLICATE, Violation.id == repeats),
        _search(Relation.DUPLICATE, Violation.id.in_(repeated)),
        _search(Relation.CAMERA, here, began >= earliest, began <= start),
        _search(Relation.CAMERA, here, began >= start, began <= latest, rising=True),
    ]
    if read:
        searches.append(_search(Relation.VEHICLE, Violation.plate_read == bindparam("read")))
    if track:
        same = (Violation.track == bindparam("track"), Violation.run.is_not_distinct_from(bindparam("run")))
        searches.append(_search(Relation.VEHICLE, here, began >= earliest, began <= latest, *same))
    if plate:
        searches.append(_search(Relation.PLATE, Violation.plate_key == bindparam("plate"), limit=MOST_OF_A_PLATE))
    return union_all(*(rows for relation, rows in searches if relation in relations))


def _search(
    relation: Relation, *conditions: ColumnElement[bool], rising: bool = False, limit: int = MOST_OF_A_SIDE
) -> tuple[Relation, Select[Any]]:
    keys = (Violation.start, Violation.id)
    order = [key.asc() if rising else key.desc() for key in keys]
    number = literal(RELATIONS.index(relation), Integer).label("relation")
    found = select(number, *SUMMARY).where(*conditions, Violation.id != bindparam("violation"))
    return relation, select(found.order_by(*order).limit(limit).subquery())

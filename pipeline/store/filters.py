"""What a search asks for, and its conditions in SQL."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, func, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, aliased

from pipeline.errors import QueryError
from pipeline.plate_text import PSEUDONYM, is_pseudonym, plate_key
from pipeline.review import UNDECIDED, ReviewPolicy, State
from pipeline.store.review_tables import Review
from pipeline.store.tables import PlateRead, Violation

WILDCARDS = "*?"
LAST_CHARACTER = chr(0x10FFFF)
FIRST_OF_A_PLATE = "0"
"""No key of a plate comes before it, and every pseudonym does."""


@dataclass(frozen=True, slots=True)
class ViolationFilter:
    """Violations that began in [since, until); an empty field asks for all.

    `plate` ignores case, spaces and punctuation; `*` stands for any characters and `?` for one. `open` asks for
    those that last still (True) or have ended (False). `assignee` asks for what is given to this officer, "" for what
    is given to nobody. `awaiting` False leaves out the vehicles whose plate waits for a second reading.
    """

    cameras: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    plate: str = ""
    confidence: float = 0.0
    open: bool | None = None
    assignee: str | None = None
    due: DueBefore | None = None
    awaiting: bool = True

    def conditions(self) -> list[ColumnElement[bool]]:
        """Raises QueryError for a plate without a letter or digit."""
        wanted = (
            (Violation.camera, self.cameras),
            (Violation.rule, self.rules),
            (Violation.kind, self.kinds),
            (Violation.review_state, self.states),
        )
        found: list[ColumnElement[bool]] = [one_of(column, values) for column, values in wanted if values]
        found += within(Violation.start, self.since, self.until)
        if self.plate:
            found.append(plate_matches(Violation.plate_key, self.plate))
        if self.confidence > 0:
            found.append(Violation.confidence >= self.confidence)
        if self.open is not None:
            found.append(Violation.end.is_(None) if self.open else Violation.end.is_not(None))
        if self.assignee is not None:
            found.append(_given_to(self.assignee))
        if self.due is not None:
            found.append(self.due.condition())
        if not self.awaiting:
            found.append(~awaits_reading())
        return found

    def across_states(self) -> ViolationFilter:
        """What is asked for whatever the state."""
        return replace(self, states=(), due=None)

    def by_state(self, state: ColumnElement[str] = Violation.review_state.expression) -> list[ColumnElement[bool]]:
        """The rest: what is asked for of each `state` that will do; nothing where any will."""
        if self.due is None:
            return [state == each for each in dict.fromkeys(self.states)]
        return [
            and_(state == each.value, condition)
            for each, condition in self.due.by_state().items()
            if not self.states or each in self.states
        ] or [false()]


@dataclass(frozen=True, slots=True)
class DueBefore:
    """Cases whose next step is due before `time`, as review.due has it."""

    time: datetime
    policy: ReviewPolicy

    def condition(self) -> ColumnElement[bool]:
        return or_(*(and_(Violation.review_state == state.value, due) for state, due in self.by_state().items()))

    def by_state(self) -> Mapping[State, ColumnElement[bool]]:
        """What makes a case of each state due by then; of the other states none is."""
        detected = Violation.start < self.time - self.policy.owner_within
        before = self.time - self.policy.answer_within
        # A notice follows what it tells of: so many need not be looked up.
        notified = and_(
            Violation.start < before, exists().where(Review.violation == Violation.id, Review.notified < before)
        )
        waiting = dict.fromkeys((*sorted(UNDECIDED), State.ACCEPTED), detected)
        return {**waiting, State.FORWARDED: notified}


def awaits_reading() -> ColumnElement[bool]:
    """Whether an officer has yet to read the plate of the violation's vehicle unprompted: in this case, in another of
    the same read, or in the one that this case repeats."""
    other = _other_violations()
    # Not by the state itself: SQLite might go through all that wait for each row.
    waits = other.review_state.concat("") == State.SECOND_REVIEW.value
    repeats = select(true()).where(Review.violation == Violation.id, other.id == Review.duplicate_of, waits)
    same = select(true()).where(other.plate_read == Violation.plate_read, waits)
    # Not as EXISTS: PostgreSQL might gather all that wait first, and look each row up among them.
    one_waits = (each.limit(1).scalar_subquery().is_(true()) for each in (same, repeats))
    return or_(Violation.review_state.concat("") == State.SECOND_REVIEW.value, *one_waits)


@cache
def _other_violations() -> type[Violation]:
    """Made once: that takes longer than a search with it."""
    return aliased(Violation)


def _given_to(officer: str) -> ColumnElement[bool]:
    if officer:
        return Violation.id.in_(select(Review.violation).where(Review.assignee == officer))
    # No text comes before the empty one; unlike "is not", "comes after" is a walk through an index.
    return Violation.id.not_in(select(Review.violation).where(Review.assignee > ""))


@dataclass(frozen=True, slots=True)
class PlateFilter:
    """Plate reads whose best frame lies in [since, until); an empty field asks for all.

    `plate` is as in ViolationFilter. With a `distance` above 0 it also finds plates that are no further from it
    (see plate_text.distance). `confidence` is the least; `legible` asks for reads with a text (True) or without.
    """

    plate: str = ""
    distance: float = 0.0
    cameras: tuple[str, ...] = ()
    vehicles: tuple[str, ...] = ()
    colours: tuple[str, ...] = ()
    directions: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    confidence: float = 0.0
    legible: bool | None = None

    def conditions(self, reads: type[PlateRead] = PlateRead) -> list[ColumnElement[bool]]:
        """All but the plate, for this table or an alias of it."""
        wanted = (
            (reads.camera, self.cameras),
            (reads.vehicle, self.vehicles),
            (reads.colour, self.colours),
            (reads.direction, self.directions),
        )
        found: list[ColumnElement[bool]] = [one_of(column, values) for column, values in wanted if values]
        found += within(reads.time, self.since, self.until)
        if self.confidence > 0:
            found.append(reads.confidence >= self.confidence)
        if self.legible is not None:
            found.append(reads.plate_key.is_not(None) if self.legible else reads.plate_key.is_(None))
        return found


def one_of(column: InstrumentedAttribute[str], values: tuple[str, ...]) -> ColumnElement[bool]:
    return column == values[0] if len(values) == 1 else column.in_(values)


def within(
    column: InstrumentedAttribute[datetime], since: datetime | None, until: datetime | None
) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if since is not None:
        found.append(column >= since)
    if until is not None:
        found.append(column < until)
    return found


def plate_matches(column: InstrumentedAttribute[Any], wanted: str) -> ColumnElement[bool]:
    """Raises QueryError when `wanted` is no plate, see plate_pattern."""
    pattern = plate_pattern(wanted)
    if not has_wildcard(pattern):
        return column == pattern
    # LIKE alone makes SQLite read the whole table; the range lets both databases walk the index.
    prefix = literal_prefix(pattern)
    return and_(column >= (prefix or FIRST_OF_A_PLATE), column < prefix + LAST_CHARACTER, like(column, pattern))


def plate_seems(column: InstrumentedAttribute[Any], wanted: str) -> ColumnElement[bool]:
    """As plate_matches, for rows that are gone through in another order until enough are found: without the range that
    would choose one. PostgreSQL takes the matches of a wildcard for so few that it would rather read the whole table,
    and sort; of what coalesce() answers it supposes that half are true."""
    return and_(func.coalesce(like(column, plate_pattern(wanted)), false()), column >= FIRST_OF_A_PLATE)


def plate_pattern(wanted: str) -> str:
    """What is asked for as a plate's key, with `*` and `?` in it for any signs and for one.

    Raises QueryError when it holds no letter or digit, or wildcards in a pseudonym.
    """
    hidden = is_pseudonym(wanted)
    parts = re.split(r"([*?])", wanted.replace(PSEUDONYM, ""))
    pattern = "".join(part if part in WILDCARDS else plate_key(part) for part in parts)
    if not plate_key(pattern):
        raise QueryError(f"plate {wanted!r}: give at least one letter or digit, as in 75A-123.45 or 75A*")
    if hidden and has_wildcard(pattern):
        raise QueryError(f"plate {wanted!r} stands for a hidden plate, which is found by all of it only")
    return PSEUDONYM + pattern if hidden else pattern


def has_wildcard(pattern: str) -> bool:
    return any(sign in pattern for sign in WILDCARDS)


def literal_prefix(pattern: str) -> str:
    """What stands before the first wildcard."""
    return re.split(r"[*?]", pattern, maxsplit=1)[0]


def like(column: ColumnElement[Any] | InstrumentedAttribute[Any], pattern: str) -> ColumnElement[bool]:
    return column.like(pattern.replace("*", "%").replace("?", "_"))

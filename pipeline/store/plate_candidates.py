"""Which of the known plates a search means, and how far each is from what was asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import ARRAY, Connection, String, bindparam, column, func, select, table
from sqlalchemy.sql.selectable import TableValuedAlias

from pipeline.errors import QueryError
from pipeline.plate_text import distances, is_pseudonym
from pipeline.store.database import Database
from pipeline.store.filters import (
    LAST_CHARACTER,
    PlateFilter,
    has_wildcard,
    like,
    literal_prefix,
    plate_matches,
    plate_pattern,
)
from pipeline.store.plate_index import MOST_DISTANT, lookups
from pipeline.store.tables import Plate, PlateNeighbour

MOST_PLATES = 300
"""A wildcard that no more plates match is answered plate by plate; one that more match, from the reads in order of
time, among which its matches are then so many that the first page is soon full."""

MOST_PLATES_OF_CASES = 1000
"""The same for cases, of which there are fewer than reads: their matches lie further apart."""

_TRIGRAMS = table("plate_trigrams", column("key", String))


@dataclass(frozen=True, slots=True)
class Rank:
    """The plates at one distance from what was asked for."""

    distance: float
    keys: tuple[str, ...]


class PlateCandidates(Database):
    def ranks(self, connection: Connection, wanted: PlateFilter, most: int = MOST_PLATES) -> list[Rank] | None:
        """The plates to look for, nearest first; None when they are not to be listed, but recognised, as more than
        `most` that match a wildcard are.

        Raises QueryError for a plate that holds no letter or digit, a distance that is too large or goes together
        with wildcards.
        """
        if not 0 <= wanted.distance <= MOST_DISTANT:
            raise QueryError(f"distance {wanted.distance}: choose from 0 to {MOST_DISTANT:g}")
        if not wanted.plate:
            return None
        pattern = plate_pattern(wanted.plate)
        if has_wildcard(pattern):
            if wanted.distance:
                raise QueryError("a plate with * or ? has no distance; search with the one or the other")
            return self._matching(connection, pattern, most)
        if not wanted.distance or is_pseudonym(pattern):
            return [Rank(0.0, (pattern,))]
        return self._near(connection, pattern, wanted.distance)

    def _matching(self, connection: Connection, pattern: str, most: int) -> list[Rank] | None:
        """The known plates that match; None when there are more than `most`."""
        prefix = literal_prefix(pattern)
        runs = re.split(r"[*?]", pattern.removeprefix(prefix))
        by_trigrams = len(prefix) < 5 and any(len(run) >= 3 for run in runs)
        # PostgreSQL uses its trigram index, where it has one, of its own accord.
        if self._sqlite and by_trigrams:
            statement = select(_TRIGRAMS.c.key).where(like(_TRIGRAMS.c.key, pattern))
        elif prefix and not by_trigrams and len(runs[-1]) < 2:
            # In an expression the pattern is nothing to search the trigrams for: of so short a one all would be read.
            within = (Plate.key >= prefix, Plate.key < prefix + LAST_CHARACTER)
            statement = select(Plate.key).where(*within, like(Plate.key.concat(""), pattern))
        else:
            statement = select(Plate.key).where(plate_matches(Plate.key, pattern))
        found = tuple(connection.execute(statement.limit(most + 1)).scalars())
        return [Rank(0.0, found)] if len(found) <= most else None

    def _near(self, connection: Connection, key: str, distance: float) -> list[Rank]:
        texts = self.texts(sorted(lookups(key, distance)))
        statement = (
            select(Plate.key)
            .distinct()
            .select_from(texts)
            .join(PlateNeighbour, PlateNeighbour.neighbour == texts.c.value)
            .join(Plate, Plate.id == PlateNeighbour.plate)
        )
        found = list(connection.execute(statement).scalars())
        measured = zip(distances(key, found).tolist(), found, strict=True)
        near = sorted((far, other) for far, other in measured if far <= distance)
        ranks = groupby(near, key=lambda pair: pair[0])
        return [Rank(far, tuple(other for _, other in pairs)) for far, pairs in ranks]

    def texts(self, values: Sequence[str]) -> TableValuedAlias:
        """These texts as a table with the column `value`, handed over as one parameter."""
        if self._sqlite:
            return func.json_each(json.dumps(values)).table_valued("value")
        array = bindparam(None, list(values), ARRAY(String))
        return func.unnest(array).table_valued("value").render_derived()

    @property
    def _sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

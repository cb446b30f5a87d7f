"""Watchlists: plates to be told of, with the reason, until when, and how near a read may come."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from pipeline.errors import ConfigError, Problem
from pipeline.plate_text import FOLDED, THIN, distances, plate_key, skeleton

COLUMNS = ("plate", "reason", "expires", "distance", "added", "added_by")
SHORTEST, LONGEST = 4, 10
FARTHEST = 2.0
"""Two signs that no likeness explains: beyond that, a read speaks of any plate of the province."""


@dataclass(frozen=True, slots=True)
class WatchlistEntry:
    """One plate to be told of, as letters and digits; at `expires` (UTC) the entry ends, never when None.

    `distance` is how far a read may be from the plate (see pipeline.plate_text) and still be told of as near; the
    list's when None. `added` and `added_by` say when it was put on the list and by whom, where that is known; they are
    no part of what the list says.
    """

    plate: str
    reason: str
    expires: datetime | None = None
    distance: float | None = None
    added: datetime | None = field(default=None, repr=False)
    added_by: str = field(default="", repr=False)

    def active(self, moment: datetime) -> bool:
        return self.expires is None or moment < self.expires


@dataclass(frozen=True, slots=True)
class Match:
    """An entry that a read fits: `distance` 0 is the plate itself, as far as a picture can tell, more is near."""

    entry: WatchlistEntry
    distance: float


@dataclass(frozen=True)
class Watchlist:
    """The entries of a watchlist, found by plate. It never changes; a changed file makes another.

    Exact matches come from an index. Near ones are sought among the entries that allow any: the signs that two
    plates do not share bound their distance from below, for all entries at once, and only the few that this
    leaves are compared sign by sign.
    """

    entries: tuple[WatchlistEntry, ...] = ()

    @cached_property
    def sha256(self) -> str:
        """Hash of what the list says; of two files that say the same, in whatever form, it is the same."""
        return hashlib.sha256(repr(self.entries).encode()).hexdigest()

    def matches(
        self, text: str, moment: datetime, same: Callable[[str, str], bool], distance: float = 0.0
    ) -> list[Match]:
        """The entries, active at `moment`, that a plate read as `text` fits, nearest first.

        `same` tells whether two texts are one plate (Grammar.equivalent). `distance` holds for entries without
        one of their own. Where the plate itself is listed, no near entry is told of: the read is explained.
        """
        listed = [entry for entry in self._by_skeleton.get(skeleton(text), ()) if same(text, entry.plate)]
        if listed:
            return [Match(entry, 0.0) for entry in listed if entry.active(moment)]
        return self._near.matches(text, moment, distance) if distance > 0 or self._some_near else []

    @cached_property
    def _by_skeleton(self) -> dict[str, list[WatchlistEntry]]:
        index: dict[str, list[WatchlistEntry]] = {}
        for entry in self.entries:
            index.setdefault(skeleton(entry.plate), []).append(entry)
        return index

    @cached_property
    def _some_near(self) -> bool:
        return any(entry.distance for entry in self.entries)

    @cached_property
    def _near(self) -> _NearIndex:
        return _NearIndex(self.entries)


class _NearIndex:
    """How often each sign stands in each entry, confusable ones counted together."""

    def __init__(self, entries: Sequence[WatchlistEntry]) -> None:
        self._entries = entries
        self._counts = _sign_counts([entry.plate for entry in entries])
        self._own = np.array([np.nan if entry.distance is None else entry.distance for entry in entries], np.float64)

    def matches(self, text: str, moment: datetime, distance: float) -> list[Match]:
        limits = np.where(np.isnan(self._own), distance, self._own)
        lacking = self._counts - _sign_counts([text])
        changes = np.maximum(np.clip(lacking, 0, None).sum(axis=1), np.clip(-lacking, 0, None).sum(axis=1))
        chosen = np.flatnonzero((limits > 0) & (changes * THIN <= limits)).tolist()
        found = distances(text, [self._entries[number].plate for number in chosen])
        near = [
            Match(self._entries[number], float(how_far))
            for number, how_far in zip(chosen, found, strict=True)
            if how_far <= limits[number] and self._entries[number].active(moment)
        ]
        return sorted(near, key=lambda match: (match.distance, match.entry.plate))


def _sign_counts(texts: Sequence[str]) -> npt.NDArray[np.int8]:
    """How often each of FOLDED stands in each text: int8 [N, len(FOLDED)]."""
    longest = max(map(len, texts), default=0)
    signs = np.array([list(skeleton(text).ljust(longest)) for text in texts], "<U1").reshape(len(texts), longest)
    return np.stack([(signs == sign).sum(axis=1, dtype=np.int8) for sign in FOLDED], axis=1)


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    values: Mapping[str, Any]

    def get(self, column: str) -> str:
        return str(self.values.get(column) or "").strip()


def load_watchlist(path: Path, zone: tzinfo = UTC) -> Watchlist:
    """Read a watchlist: CSV with the columns COLUMNS, or YAML, a list of such mappings.

    `expires` is a date (the entry holds to the end of that day in the `zone`, which is the site's) or a time with its
    zone, `distance` how far a read may be from the plate, `added` a time with its zone; all but plate and reason may be
    left out. A plate stands in a list once.

    Raises:
        ConfigError: with every problem found, by line and column name.
    """
    return parse_watchlist(read_watchlist(path), path, zone)


def read_watchlist(path: Path) -> str:
    """The text of the file. Raises ConfigError when there is none."""
    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise _error(path, 0, "", "there is no such watchlist file") from None
    except UnicodeDecodeError:
        raise _error(path, 0, "", "is not UTF-8; save the file as UTF-8") from None
    except OSError as error:
        raise _error(path, 0, "", f"cannot be read: {error.strerror}") from None


def parse_watchlist(text: str, path: Path, zone: tzinfo = UTC) -> Watchlist:
    """What the text says as that of the file at `path`, whose name tells its form. Raises ConfigError as load_watchlist
    does."""
    rows = _yaml_rows(path, text) if is_yaml(path) else _csv_rows(path, text)
    problems: list[Problem] = []
    lines: dict[str, int] = {}
    entries = tuple(_entry(path, row, lines, problems, zone) for row in rows)
    if problems:
        raise ConfigError(problems)
    return Watchlist(entries)


def is_yaml(path: Path) -> bool:
    return path.suffix.lower() in (".yaml", ".yml")


def _csv_rows(path: Path, text: str) -> Iterator[_Row]:
    reader = csv.DictReader(io.StringIO(text), skipinitialspace=True)
    columns = [column.strip().lower() for column in reader.fieldnames or ()]
    if "plate" not in columns or "reason" not in columns or set(columns) - set(COLUMNS):
        raise _error(path, 1, "", f"the first line names the columns {', '.join(COLUMNS)}; found {', '.join(columns)}")
    reader.fieldnames = columns
    for values in reader:
        if None in values:
            raise _error(
                path, reader.line_num, "", f"has more than {len(columns)} values: put those with commas in quotes"
            )
        if any(values.values()):
            yield _Row(reader.line_num, values)


def _yaml_rows(path: Path, text: str) -> Iterator[_Row]:
    # the syntax tree, not its values: as a value 75E10234 would be a number
    try:
        tree = YAML(pure=True).compose(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise _error(path, line, "", f"is not YAML: {error.problem}") from None
    if not isinstance(tree, SequenceNode):
        raise _error(path, 1, "", "is a list of entries, each with plate, reason and perhaps expires, distance")
    for number, entry in enumerate(tree.value):
        line = entry.start_mark.line + 1
        pairs = entry.value if isinstance(entry, MappingNode) else []
        values = {key.value: value.value for key, value in pairs if isinstance(value, ScalarNode)}
        if len(values) < len(pairs) or not values or set(values) - set(COLUMNS):
            raise _error(path, line, f"[{number}]", f"an entry has {', '.join(COLUMNS)} and nothing else")
        yield _Row(line, values)


def _entry(path: Path, row: _Row, lines: dict[str, int], problems: list[Problem], zone: tzinfo) -> WatchlistEntry:
    """The entry of a row; `lines` tells on which line each plate stands."""

    def wrong(field: str, message: str) -> None:
        problems.append(Problem(str(path), row.line, 1, field, message))

    plate = plate_key(row.get("plate"))
    if not SHORTEST <= len(plate) <= LONGEST or not (plate.isascii() and plate.isalnum()):
        wrong("plate", f"found {row.get('plate')!r}; a plate has {SHORTEST} to {LONGEST} letters and digits")
    elif lines.setdefault(plate, row.line) != row.line:
        wrong("plate", f"found {row.get('plate')!r} again; it stands in line {lines[plate]}, once is enough")
    if not row.get("reason"):
        wrong("reason", "is empty; say why the plate is watched for")
    read: dict[str, Any] = {}
    readers: Mapping[str, Callable[[str], object]] = {
        "expires": partial(_expiry, zone=zone),
        "distance": _distance,
        "added": _moment,
    }
    for column, reader in readers.items():
        try:
            read[column] = reader(row.get(column))
        except ValueError as error:
            wrong(column, str(error))
    return WatchlistEntry(plate, row.get("reason"), **read, added_by=row.get("added_by"))


def _distance(value: str) -> float | None:
    if not value:
        return None
    try:
        distance = float(value)
    except ValueError:
        distance = np.nan
    if not 0 <= distance <= FARTHEST:
        raise ValueError(f"found {value!r}; a number from 0 (this very plate) to {FARTHEST:g} is needed")
    return distance


def _expiry(value: str, zone: tzinfo) -> datetime | None:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return _moment(value)
    try:
        return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
    except OverflowError:
        raise ValueError(f"found {value!r}; a day within the calendar is needed, as in 2026-12-31") from None


def _moment(value: str) -> datetime | None:
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"found {value!r}; a date or time is needed, as in 2026-12-31") from None
    if moment.tzinfo is None:
        raise ValueError(f"found {value!r}; a time needs its zone, as in 2026-12-31T18:00+07:00")
    return moment.astimezone(UTC)


def _error(path: Path, line: int, field: str, message: str) -> ConfigError:
    return ConfigError([Problem(str(path), line, 1 if line else 0, field, message)])

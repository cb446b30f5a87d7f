"""Watchlists: plates to be told of, with the reason and until when."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from pipeline.errors import ConfigError, Problem

COLUMNS = ("plate", "reason", "expires")
SHORTEST, LONGEST = 4, 10


@dataclass(frozen=True, slots=True)
class WatchlistEntry:
    """One plate to be told of, as letters and digits; at `expires` (UTC) the entry ends, never when None."""

    plate: str
    reason: str
    expires: datetime | None = None

    def active(self, moment: datetime) -> bool:
        return self.expires is None or moment < self.expires


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    values: Mapping[str, Any]

    def get(self, column: str) -> str:
        return str(self.values.get(column) or "").strip()


def load_watchlist(path: Path) -> tuple[WatchlistEntry, ...]:
    """Read a watchlist: CSV with the columns plate, reason, expires, or YAML, a list of mappings with these keys.

    `expires` is a date (the entry holds to the end of that day, UTC) or a time with its zone; it may be empty.

    Raises:
        ConfigError: with every problem found, by line and column name.
    """
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise _error(path, 0, "", "there is no such watchlist file") from None
    except UnicodeDecodeError:
        raise _error(path, 0, "", "is not UTF-8; save the file as UTF-8") from None
    except OSError as error:
        raise _error(path, 0, "", f"cannot be read: {error.strerror}") from None
    rows = _yaml_rows(path, text) if path.suffix.lower() in (".yaml", ".yml") else _csv_rows(path, text)
    problems: list[Problem] = []
    entries = tuple(_entry(path, row, problems) for row in rows)
    if problems:
        raise ConfigError(problems)
    return entries


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
        raise _error(path, 1, "", "is a list of entries, each with plate, reason and perhaps expires")
    for number, entry in enumerate(tree.value):
        line = entry.start_mark.line + 1
        pairs = entry.value if isinstance(entry, MappingNode) else []
        values = {key.value: value.value for key, value in pairs if isinstance(value, ScalarNode)}
        if len(values) < len(pairs) or not values or set(values) - set(COLUMNS):
            raise _error(path, line, f"[{number}]", f"an entry has {', '.join(COLUMNS)} and nothing else")
        yield _Row(line, values)


def _entry(path: Path, row: _Row, problems: list[Problem]) -> WatchlistEntry:
    def wrong(field: str, message: str) -> None:
        problems.append(Problem(str(path), row.line, 1, field, message))

    plate = "".join(sign for sign in row.get("plate").upper().replace("Đ", "D") if sign.isalnum())
    if not SHORTEST <= len(plate) <= LONGEST or not plate.isascii():
        wrong("plate", f"found {row.get('plate')!r}; a plate has {SHORTEST} to {LONGEST} letters and digits")
    if not row.get("reason"):
        wrong("reason", "is empty; say why the plate is watched for")
    expires = None
    try:
        expires = _expiry(row.get("expires"))
    except ValueError as error:
        wrong("expires", str(error))
    return WatchlistEntry(plate, row.get("reason"), expires)


def _expiry(value: str) -> datetime | None:
    if not value:
        return None
    try:
        return datetime.combine(date.fromisoformat(value), time(), UTC) + timedelta(days=1)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"found {value!r}; a date or time is needed, as in 2026-12-31") from None
    if moment.tzinfo is None:
        raise ValueError(f"found {value!r}; a time needs its zone, as in 2026-12-31T18:00+07:00")
    return moment.astimezone(UTC)


def _error(path: Path, line: int, field: str, message: str) -> ConfigError:
    return ConfigError([Problem(str(path), line, 1 if line else 0, field, message)])

"""Tables as CSV (RFC 4180, UTF-8 with a mark by which spreadsheets know it)."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from pipeline.periods import Slice
from pipeline.reports.tables import Cell, Table, slice_start

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a text that a spreadsheet would run may begin with, as OWASP lists them (CSV Injection)."""


def write_csv(path: Path, table: Table, zone: ZoneInfo) -> int:
    """Write the table and give back how many rows it has. Days are ISO 8601, times too, with the zone's offset; shares
    are 0-1. A text that a spreadsheet would take for a formula has an apostrophe put before it."""
    number = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([harmless(column.title) for column in table.columns])
        for number, row in enumerate(table.rows, 1):  # noqa: B007 - the last one is how many there are
            writer.writerow(_plain(row, zone))
    return number


def harmless(text: str) -> str:
    """The text as no spreadsheet runs it."""
    return f"'{text}" if text.startswith(FORMULA) else text


def _plain(row: Sequence[Cell], zone: ZoneInfo) -> list[str | int]:
    return [_value(value, zone) for value in row]


def _value(value: Cell, zone: ZoneInfo) -> str | int:  # noqa: PLR0911 - one for each sort of cell
    match value:
        case None:
            return ""
        case str():
            return harmless(value.replace("\0", ""))
        case float():
            return f"{value:.4f}"
        case int():
            return value
        case Slice():
            return slice_start(value, zone).isoformat()
        case datetime():
            return value.astimezone(zone).isoformat(timespec="seconds")
        case date():
            return value.isoformat()

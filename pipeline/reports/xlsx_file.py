"""Tables as a spreadsheet of Office Open XML, a sheet each. Rows go to the disk as they are written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from pipeline.periods import Slice
from pipeline.reports.tables import Cell, Change, Column, Table, slice_start

LAST_LINE = 2**20 - 1
"""Number of the last line of a sheet, from 0."""
LONGEST_TEXT = 32_767
LONGEST_NAME = 31
NOT_IN_NAMES = str.maketrans("", "", "[]:*?/\\'")
FORMATS = {
    "count": "#,##0",
    "share": "0.0%",
    "change": "+0.0%;-0.0%;0.0%",
    "day": "dd/mm/yyyy",
    "time": "dd/mm/yyyy hh:mm:ss",
}


def write_xlsx(path: Path, tables: Sequence[Table], zone: ZoneInfo, heading: Sequence[str] = ()) -> int:
    """Write the tables, and give back how many rows they have in all. `heading` stands above the first of them.

    Days and times are the spreadsheet's own, in `zone`, counts and shares numbers; whatever is text stays text, also
    what looks like a formula or a link.
    """
    number = 0
    with xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_urls": False}) as book:
        sheets = _Sheets(book, zone)
        for place, table in enumerate(tables):
            number += sheets.write(table, heading if place == 0 else ())
    return number


class _Sheets:
    def __init__(self, book: Workbook, zone: ZoneInfo) -> None:
        self._book = book
        self._zone = zone
        self._formats = {
            name: book.add_format({"num_format": code, "align": "right"}) for name, code in FORMATS.items()
        }
        self._header = book.add_format({"bold": True, "bg_color": "#E3E8EE", "bottom": 1, "text_wrap": True})
        self._title = book.add_format({"bold": True, "font_size": 14})
        self._names: set[str] = set()

    def write(self, table: Table, heading: Sequence[str]) -> int:
        """The table on a sheet, or on as many as it fills."""
        sheet, top = self._begin(table, heading)
        number, line = 0, top
        for number, row in enumerate(table.rows, 1):  # noqa: B007
            if line == LAST_LINE:
                self._end(sheet, top, line, len(table.columns))
                sheet, top = self._begin(table, ())
                line = top
            line += 1
            for place, value in enumerate(row):
                self._cell(sheet, line, place, value)
        self._end(sheet, top, line, len(table.columns))
        return number

    def _begin(self, table: Table, heading: Sequence[str]) -> tuple[Worksheet, int]:
        """A sheet with its header, and the line that this stands in."""
        sheet = self._book.add_worksheet(self._name(table.title))
        sheet.set_column(0, max(0, len(table.columns) - 1), 16)
        sheet.set_column(0, 0, 34)
        for place, column in enumerate(table.columns):
            if not column.numeric:
                sheet.set_column(place, place, 34)
        for line, text in enumerate(heading):
            sheet.write_string(line, 0, text[:LONGEST_TEXT], self._title if line == 0 else None)
        top = len(heading) + 1 if heading else 0
        self._write_header(sheet, top, table.columns)
        sheet.freeze_panes(top + 1, 1)
        return sheet, top

    def _write_header(self, sheet: Worksheet, top: int, columns: Sequence[Column]) -> None:
        for place, column in enumerate(columns):
            sheet.write_string(top, place, column.title, self._header)

    def _end(self, sheet: Worksheet, top: int, last: int, columns: int) -> None:
        sheet.autofilter(top, 0, max(last, top), columns - 1)

    def _name(self, title: str) -> str:
        """A name of a sheet that no other has."""
        plain = title.translate(NOT_IN_NAMES)[:LONGEST_NAME] or "1"
        name, number = plain, 1
        while name.casefold() in self._names:
            number += 1
            name = f"{plain[: LONGEST_NAME - len(str(number)) - 1]} {number}"
        self._names.add(name.casefold())
        return name

    def _cell(self, sheet: Worksheet, line: int, place: int, value: Cell) -> None:
        value = slice_start(value, self._zone) if isinstance(value, Slice) else value
        match value:
            case None:
                return
            case str():
                sheet.write_string(line, place, value[:LONGEST_TEXT])
            case datetime():
                local = value.astimezone(self._zone).replace(tzinfo=None)
                sheet.write_datetime(line, place, local, self._formats["time"])
            case date():
                sheet.write_datetime(line, place, value, self._formats["day"])
            case _:
                sheet.write_number(line, place, value, self._number_format(value))

    def _number_format(self, value: float) -> Format:
        name = "change" if isinstance(value, Change) else "share" if isinstance(value, float) else "count"
        return self._formats[name]

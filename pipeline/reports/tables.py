"""Reports and exports as tables: what each file format writes in its own way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias
from zoneinfo import ZoneInfo

from pipeline.periods import Slice, Unit
from pipeline.reports.report import Line, OutcomeLine, Report, Tally
from pipeline.reports.words import (
    UNIT_TITLES,
    Language,
    code_name,
    date_text,
    kind_name,
    number_text,
    say,
    share_text,
    slice_text,
    time_text,
)


class Change(float):
    """How much more there is than before, as a part of that."""


Cell: TypeAlias = "str | int | float | Change | date | datetime | Slice | None"
"""A whole number is a count, another number a share (0-1). Times are timezone-aware."""


COUNTS = ("Violations", "Accepted", "Rejected", "Duplicates", "Undecided", "Acceptance")
COMPARED = (*COUNTS, "Before", "Change")
FLAT = ("Breakdown", "Id", "Name", *COUNTS, "Before", "Accepted before", "Acceptance before", "Change")


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    numeric: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """The rows may be read once only, and only as they are written."""

    title: str
    columns: Sequence[Column]
    rows: Iterable[Sequence[Cell]]


def as_text(value: Cell, language: Language, zone: ZoneInfo) -> str:  # noqa: PLR0911 - one for each sort of cell
    """A cell as people read it."""
    match value:
        case None:
            return "–"
        case str():
            return value
        case Change():
            sign = "" if value < 0 else "+"
            return sign + share_text(language, value)
        case float():
            return share_text(language, value)
        case int():
            return number_text(language, f"{value:,}")
        case Slice():
            return slice_text(language, value, zone)
        case datetime():
            return time_text(language, value, zone)
        case _:
            return date_text(language, value)


def slice_start(part: Slice, zone: ZoneInfo) -> date | datetime:
    """When a slice begins, as a value: an hour as a time, all else as a day."""
    return part.begin.astimezone(zone) if part.unit is Unit.HOUR else part.day


def overview(report: Report, language: Language) -> Table:
    """The totals of the period beside those of the one before."""
    now, before = report.total.now, report.total.before
    counts = ("violations", "accepted", "rejected", "duplicates", "undecided")
    rows: list[Sequence[Cell]] = [
        (say(language, name.capitalize()), getattr(now, name), getattr(before, name), _change(report.total, name))
        for name in counts
    ]
    rows.append((say(language, "Acceptance"), now.acceptance, before.acceptance, _points(now, before, language)))
    return _table(language, "Total", "", ("This period", "Period before", "Change"), rows)


def breakdowns(report: Report, language: Language) -> list[Table]:
    """By when, what, where and outcome; without those that have no rows."""
    unit_title, unit = UNIT_TITLES[report.slices[0][0].unit]
    slices: list[Sequence[Cell]] = [(part, *_counts(tally)) for part, tally in report.slices]
    found = [
        _table(language, unit_title, unit, COUNTS, slices),
        _lines(language, "By kind", "Kind", report.kinds, lambda line: kind_name(language, line.key)),
        _lines(language, "By district", "District", report.districts, lambda line: _part(language, line)),
        _lines(language, "By ward", "Ward", report.wards, lambda line: _part(language, line)),
        _lines(language, "By camera", "Camera", report.cameras, lambda line: line.name),
        _outcomes(language, "By state", "State", report.states),
        _outcomes(language, "Reasons of rejection", "Reason", report.reasons),
    ]
    return [table for table in found if table.rows]


def flat(report: Report, language: Language) -> Table:
    """All of a report as one table, for programs: a row says in its first column which breakdown it belongs to."""
    columns = [Column(say(language, title), numeric=title not in FLAT[:3]) for title in FLAT]
    return Table(say(language, "Report on violations"), columns, _flat_rows(report, language))


def _flat_rows(report: Report, language: Language) -> Iterator[Sequence[Cell]]:
    def line(title: str, each: Line, name: str) -> Sequence[Cell]:
        before = each.before
        told = (before.violations, before.accepted, before.acceptance)
        return (say(language, title), each.key, name, *_counts(each.now), *told, _change(each))

    def outcome(title: str, each: OutcomeLine) -> Sequence[Cell]:
        nothing = (None, None, None, None, None)
        name = _outcome_name(language, each)
        changed = _relative(each.now, each.before)
        return (say(language, title), each.key, name, each.now, *nothing, each.before, None, None, changed)

    yield line("Total", report.total, "")
    for part, tally in report.slices:
        start = slice_start(part, report.zone).isoformat()
        name = slice_text(language, part, report.zone)
        yield (say(language, UNIT_TITLES[part.unit][0]), start, name, *_counts(tally), None, None, None, None)
    for each in report.kinds:
        yield line("By kind", each, kind_name(language, each.key))
    for each in report.districts:
        yield line("By district", each, _part(language, each))
    for each in report.wards:
        yield line("By ward", each, _part(language, each))
    for each in report.cameras:
        yield line("By camera", each, each.name)
    for state in report.states:
        yield outcome("By state", state)
    for reason in report.reasons:
        yield outcome("Reasons of rejection", reason)


def _lines(language: Language, title: str, first: str, lines: Sequence[Line], name: Callable[[Line], str]) -> Table:
    rows: list[Sequence[Cell]] = [
        (name(line), *_counts(line.now), line.before.violations, _change(line)) for line in lines
    ]
    return _table(language, title, first, COMPARED, rows)


def _outcomes(language: Language, title: str, first: str, lines: Sequence[OutcomeLine]) -> Table:
    total = sum(line.now for line in lines)
    rows: list[Sequence[Cell]] = [
        (
            _outcome_name(language, line),
            line.now,
            line.now / total if total else None,
            line.before,
            _relative(line.now, line.before),
        )
        for line in lines
    ]
    return _table(language, title, first, ("Violations", "Share", "Before", "Change"), rows)


def _table(language: Language, title: str, first: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Table:
    spoken = [Column(say(language, each), numeric=True) for each in columns]
    return Table(say(language, title), [Column(say(language, first) if first else ""), *spoken], rows)


def _counts(tally: Tally) -> tuple[Cell, ...]:
    counted = (tally.violations, tally.accepted, tally.rejected, tally.duplicates, tally.undecided)
    return (*counted, tally.acceptance)


def _change(line: Line, name: str = "violations") -> Change | None:
    return _relative(getattr(line.now, name), getattr(line.before, name))


def _points(now: Tally, before: Tally, language: Language) -> str | None:
    """How the acceptance changed: in points, since the change of a share as a share would be misread."""
    if now.acceptance is None or before.acceptance is None:
        return None
    difference = number_text(language, f"{100 * (now.acceptance - before.acceptance):+.1f}")
    return say(language, "{difference} points", difference=difference)


def _relative(now: int, before: int) -> Change | None:
    return Change(now / before - 1) if before else None


def _part(language: Language, line: Line) -> str:
    return line.name or say(language, "not named")


def _outcome_name(language: Language, line: OutcomeLine) -> str:
    return code_name(language, line.key) if line.key else say(language, "no reason given")

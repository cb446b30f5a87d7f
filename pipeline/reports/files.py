"""A report as a file of the format that is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from pipeline.reports.csv_file import write_csv
from pipeline.reports.pdf_file import Imprint, write_pdf
from pipeline.reports.report import Report, ReportFilter
from pipeline.reports.tables import breakdowns, flat, overview
from pipeline.reports.words import Language, kind_name, period_text, say, time_text
from pipeline.reports.xlsx_file import write_xlsx


class Format(StrEnum):
    PDF = "pdf"
    XLSX = "xlsx"
    CSV = "csv"


MEDIA_TYPES = {
    Format.PDF: "application/pdf",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.CSV: "text/csv; charset=utf-8",
}


def write_report(path: Path, kind: Format, report: Report, imprint: Imprint, language: Language) -> None:
    """Raises OSError when the file cannot be written."""
    match kind:
        case Format.PDF:
            write_pdf(path, report, imprint, language)
        case Format.XLSX:
            tables = [overview(report, language), *breakdowns(report, language)]
            write_xlsx(path, tables, report.zone, heading(report, imprint, language))
        case Format.CSV:
            write_csv(path, flat(report, language), report.zone)


def choice_text(wanted: ReportFilter, names: Mapping[str, str], language: Language) -> str:
    """What a report is confined to, in words; `names` are those of the cameras by id. Empty when it holds all."""
    kinds = [kind_name(language, kind) for kind in wanted.kinds]
    cameras = [names.get(camera, camera) for camera in wanted.cameras]
    return ", ".join((*kinds, *wanted.districts, *wanted.wards, *cameras))


def report_name(report: Report, kind: Format) -> str:
    """A name for the file that tells reports apart and sorts by time."""
    first, last = report.period.first, report.period.last
    return f"matthan-{first}{'' if first == last else f'-to-{last}'}.{kind}"


def heading(report: Report, imprint: Imprint, language: Language) -> list[str]:
    """What stands above the tables of a spreadsheet: which report, of when, for whom."""
    made = time_text(language, imprint.time, report.zone)
    lines = [
        f"{say(language, 'Report on violations')} – {period_text(language, report.period)}",
        imprint.site,
        say(language, "Times in {zone}", zone=report.zone.key),
        say(language, "Made by {name} on {time}", name=imprint.author, time=made),
    ]
    return [*lines, say(language, "Only: {choice}", choice=imprint.choice)] if imprint.choice else lines

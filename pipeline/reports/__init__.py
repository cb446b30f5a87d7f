"""Reports on violations and the published fields of decided cases, as PDF, XLSX, CSV and JSON."""

from pipeline.reports.files import MEDIA_TYPES, Format, choice_text, report_name, write_report
from pipeline.reports.pdf_file import Imprint
from pipeline.reports.published import (
    PUBLISHED_TYPES,
    PublishedCase,
    PublishedFormat,
    published_case,
    published_cases,
    write_published,
)
from pipeline.reports.report import Report, ReportFilter, Tally, make_report
from pipeline.reports.words import LANGUAGES, Language

__all__ = [
    "LANGUAGES",
    "MEDIA_TYPES",
    "PUBLISHED_TYPES",
    "Format",
    "Imprint",
    "Language",
    "PublishedCase",
    "PublishedFormat",
    "Report",
    "ReportFilter",
    "Tally",
    "choice_text",
    "make_report",
    "published_case",
    "published_cases",
    "report_name",
    "write_published",
    "write_report",
]

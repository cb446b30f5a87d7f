"""Reports on violations and the published fields of decided cases, as PDF, XLSX and CSV."""

from pipeline.reports.files import MEDIA_TYPES, Format, report_name, write_report
from pipeline.reports.pdf_file import Imprint
from pipeline.reports.report import Report, ReportFilter, Tally, make_report
from pipeline.reports.words import LANGUAGES, Language

__all__ = [
    "LANGUAGES",
    "MEDIA_TYPES",
    "Format",
    "Imprint",
    "Language",
    "Report",
    "ReportFilter",
    "Tally",
    "make_report",
    "report_name",
    "write_report",
]

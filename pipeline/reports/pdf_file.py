"""A report as PDF, for reading and printing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from xml.sax.saxutils import escape  # writes markup, reads none # nosec B406

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import CondPageBreak, Flowable, LongTable, Paragraph, SimpleDocTemplate, Spacer, TableStyle

from pipeline.lettering import font_file
from pipeline.reports.chart import chart
from pipeline.reports.report import Report
from pipeline.reports.tables import Table, as_text, breakdowns, overview
from pipeline.reports.words import Language, period_text, say, share_text, time_text

FONT, BOLD = "DejaVuSans", "DejaVuSans-Bold"
INK, SOFT, LINE, BAND, DEEP = (HexColor(each) for each in ("#17222c", "#566574", "#d6dde4", "#f2f5f8", "#0c3c60"))
MARGIN = 16 * mm
FRAME = 6
"""Points that reportlab keeps free inside its frames."""
WIDTH = A4[0] - 2 * MARGIN
MOST_LINES = 2000
"""Lines of one table: more than any city has cameras."""


@dataclass(frozen=True, slots=True)
class Imprint:
    """Who asks for a report, when, for which site; `choice` says in words what of the violations it is about."""

    site: str
    author: str
    time: datetime
    choice: str = ""


def write_pdf(path: Path, report: Report, imprint: Imprint, language: Language) -> None:
    """Write the report with its fonts embedded, so that Vietnamese is read on every machine."""
    _fonts()
    title = f"{say(language, 'Report on violations')} – {period_text(language, report.period)}"
    document = SimpleDocTemplate(
        str(path),
        pagesize=A4,
        leftMargin=MARGIN - FRAME,
        rightMargin=MARGIN - FRAME,
        topMargin=MARGIN,
        bottomMargin=20 * mm,
        title=title,
        author=imprint.author,
        subject=imprint.site,
        creator="Mắt Thần",
        lang=language,
    )
    made = time_text(language, imprint.time, report.zone)
    footer = say(language, "Made by {name} on {time}", name=imprint.author, time=made)
    pages = partial(_Pages, footer=footer, language=language)
    document.build(list(_story(report, imprint, language)), canvasmaker=pages)


def remarks(report: Report, language: Language) -> str:
    """How the figures are meant."""
    total = report.total.now
    if total.acceptance is None:
        return say(
            language,
            "Accepted cases include those that were forwarded or closed. No case of the period was accepted or "
            "rejected yet.",
        )
    low, high = (share_text(language, bound) for bound in total.acceptance_bounds)
    return say(
        language,
        "Accepted cases include those that were forwarded or closed. Acceptance is the accepted part of those that "
        "were accepted or rejected; from {low} to {high} with 95 % confidence.",
        low=low,
        high=high,
    )


def _story(report: Report, imprint: Imprint, language: Language) -> Iterator[Flowable]:
    yield Paragraph(escape(imprint.site), _style(9, SOFT))
    yield Paragraph(say(language, "Report on violations"), _style(17, DEEP, bold=True))
    yield Paragraph(escape(period_text(language, report.period)), _style(11.5, INK))
    told = [say(language, "Times in {zone}", zone=report.zone.key)]
    if imprint.choice:
        told.append(say(language, "Only: {choice}", choice=imprint.choice))
    yield Paragraph(escape(" · ".join(told)), _style(8.5, SOFT))
    yield Spacer(0, 4 * mm)
    yield _table(overview(report, language), report, language, (0.4, 0.2, 0.2, 0.2))
    yield Spacer(0, 1.5 * mm)
    yield Paragraph(escape(remarks(report, language)), _style(8, SOFT))
    if not report.total.now.violations:
        yield Spacer(0, 6 * mm)
        yield Paragraph(say(language, "Nothing was found in this period."), _style(10, INK))
        return
    for number, table in enumerate(breakdowns(report, language)):
        yield CondPageBreak(45 * mm)
        yield Paragraph(table.title, _style(11, DEEP, bold=True, before=6 * mm, after=1.5 * mm))
        if number == 0:
            yield chart(report, language, WIDTH, FONT)
            yield Spacer(0, 2 * mm)
        yield from _limited(table, report, language)


def _limited(table: Table, report: Report, language: Language) -> Iterator[Flowable]:
    rows = list(table.rows)
    columns = len(table.columns)
    first = 0.26 if columns > 7 else 0.4
    widths = (first, *[(1 - first) / (columns - 1)] * (columns - 1))
    yield _table(Table(table.title, table.columns, rows[:MOST_LINES]), report, language, widths)
    if len(rows) > MOST_LINES:
        more = say(language, "{count} more are in the spreadsheet.", count=len(rows) - MOST_LINES)
        yield Paragraph(more, _style(8, SOFT))


def _table(table: Table, report: Report, language: Language, widths: Sequence[float]) -> Flowable:
    """The first column as wide as its share of the page and wrapped, the others to the right."""
    name = _style(8, INK)
    heads = [
        Paragraph(escape(column.title), _style(7, SOFT, bold=True, right=column.numeric)) for column in table.columns
    ]
    rows: list[list[object]] = [[*heads]]
    for row in table.rows:
        first, *others = (as_text(value, language, report.zone) for value in row)
        rows.append([Paragraph(escape(first), name), *others])
    style = TableStyle(
        [
            ("FONT", (0, 0), (-1, -1), FONT, name.fontSize),
            ("TEXTCOLOR", (0, 0), (-1, -1), INK),
            ("ALIGN", (1, 0), (-1, -1), "RIGHT"),
            ("VALIGN", (0, 0), (-1, 0), "BOTTOM"),
            ("VALIGN", (0, 1), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, 0), 0.8, DEEP),
            ("LINEBELOW", (0, 1), (-1, -1), 0.3, LINE),
            ("ROWBACKGROUNDS", (0, 1), (-1, -1), [None, BAND]),
            ("TOPPADDING", (0, 0), (-1, -1), 2.2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2.6),
            ("LEFTPADDING", (0, 0), (-1, -1), 3),
            ("RIGHTPADDING", (0, 0), (-1, -1), 3),
            ("LEADING", (0, 0), (-1, -1), name.leading),
        ]
    )
    return LongTable(rows, colWidths=[WIDTH * share for share in widths], repeatRows=1, style=style)


def _style(
    size: float, colour: Color, *, bold: bool = False, right: bool = False, before: float = 0, after: float = 0
) -> ParagraphStyle:
    return ParagraphStyle(
        "",
        fontName=BOLD if bold else FONT,
        fontSize=size,
        leading=size * 1.3,
        textColor=colour,
        alignment=2 if right else 0,
        spaceBefore=before,
        spaceAfter=after,
    )


@cache
def _fonts() -> None:
    """Register the font that Vietnamese is written in on pictures, too."""
    regular = font_file()
    pdfmetrics.registerFont(TTFont(FONT, str(regular)))
    pdfmetrics.registerFont(TTFont(BOLD, str(regular.with_name(f"{BOLD}.ttf"))))
    pdfmetrics.registerFontFamily(FONT, normal=FONT, bold=BOLD)


class _Pages(Canvas):
    """Holds the pages back until their number is known, and writes it below each of them."""

    def __init__(self, *arguments: object, footer: str, language: Language, **options: object) -> None:
        super().__init__(*arguments, **options)  # type: ignore[arg-type]
        self._footer = footer
        self._language = language
        self._waiting: list[dict[str, object]] = []

    def showPage(self) -> None:  # noqa: N802 - reportlab's name
        self._waiting.append(dict(self.__dict__))
        self._startPage()  # type: ignore[attr-defined]  # its stubs leave it out

    def save(self) -> None:
        for number, page in enumerate(self._waiting, 1):
            self.__dict__.update(page)
            self._write_footer(number, len(self._waiting))
            super().showPage()
        super().save()

    def _write_footer(self, number: int, pages: int) -> None:
        self.setStrokeColor(LINE)
        self.line(MARGIN, 14 * mm, A4[0] - MARGIN, 14 * mm)
        self.setFont(FONT, 7.5)
        self.setFillColor(SOFT)
        self.drawString(MARGIN, 10 * mm, self._footer)
        text = say(self._language, "Page {page} of {pages}", page=number, pages=pages)
        self.drawRightString(A4[0] - MARGIN, 10 * mm, text)

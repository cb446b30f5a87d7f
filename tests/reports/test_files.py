"""Each file is opened as its reader would, and holds what was counted."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from pypdf import PdfReader

from pipeline.periods import Period, Span
from pipeline.reports import Format, Imprint, Language, Report, make_report, write_report
from pipeline.reports.chart import ceiling
from pipeline.reports.csv_file import FORMULA, harmless, write_csv
from pipeline.reports.tables import Change, Column, Table, as_text, breakdowns
from pipeline.reports.words import VIETNAMESE, code_name
from pipeline.reports.xlsx_file import write_xlsx
from pipeline.review import RejectionReason, State
from pipeline.store import Repository

from .makers import Case

HUE = ZoneInfo("Asia/Ho_Chi_Minh")
MADE = datetime(2026, 12, 1, 1, 30, tzinfo=UTC)
IMPRINT = Imprint("Công an thành phố Huế <CSGT>", "Nguyễn Thị Thảo", MADE, "Phường Thuận Hóa")


@pytest.fixture(scope="module")
def report(city: tuple[Repository, list[Case]]) -> Report:
    return make_report(city[0], Period.holding(Span.MONTH, date(2026, 11, 10)), HUE)


def text_of(path: Path) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(path).pages).split())


def test_a_pdf_is_read_in_vietnamese(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    write_report(path, Format.PDF, report, IMPRINT, "vi")
    text = text_of(path)
    for told in (
        "Báo cáo vi phạm",
        "Tháng 11/2026",
        "Công an thành phố Huế <CSGT>",
        "Chỉ gồm: Phường Thuận Hóa",
        "Người lập: Nguyễn Thị Thảo, lúc 08:30 01/12/2026",
        "Theo phường, xã",
        "Ngã sáu Hùng Vương",
        "Chứng cứ không đủ rõ",
        "Trang 1/",
    ):
        assert told in text, text
    total = report.total.now
    assert f"Số vi phạm {total.violations}" in text
    reader = PdfReader(path)
    assert reader.metadata is not None
    assert reader.metadata.title == "Báo cáo vi phạm – Tháng 11/2026"
    fonts = reader.pages[0]["/Resources"]["/Font"]  # type: ignore[index]
    assert any("DejaVu" in font.get_object()["/BaseFont"] for font in fonts.values()), "the fonts are embedded"


def test_a_pdf_of_nothing_says_so(city: tuple[Repository, list[Case]], tmp_path: Path) -> None:
    nothing = make_report(city[0], Period.holding(Span.WEEK, date(2020, 2, 1)), HUE)
    write_report(tmp_path / "en.pdf", Format.PDF, nothing, IMPRINT, "en")
    text = text_of(tmp_path / "en.pdf")
    assert "2020, week 5 (27 Jan 2020 to 02 Feb 2020)" in text
    assert "Nothing was found in this period." in text
    assert "Page 1 of 1" in text


@pytest.mark.parametrize("span", list(Span))
def test_every_span_and_language_makes_every_file(
    city: tuple[Repository, list[Case]], span: Span, tmp_path: Path
) -> None:
    day = date(2026, 11, 20)
    period = Period.between(day, date(2028, 1, 1)) if span is Span.CUSTOM else Period.holding(span, day)
    made = make_report(city[0], period, HUE)
    language: Language = "en" if span is Span.CUSTOM else "vi"
    for kind in Format:
        write_report(tmp_path / f"report.{kind}", kind, made, IMPRINT, language)
        assert (tmp_path / f"report.{kind}").stat().st_size > 500


def test_a_spreadsheet_holds_numbers_days_and_filters(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "report.xlsx"
    write_report(path, Format.XLSX, report, IMPRINT, "vi")
    book = load_workbook(path)
    assert book.sheetnames[:3] == ["Tổng cộng", "Theo ngày", "Theo loại vi phạm"]
    assert book["Tổng cộng"]["A1"].value == "Báo cáo vi phạm – Tháng 11/2026"
    days = book["Theo ngày"]
    assert (days.freeze_panes, days.auto_filter.ref) == ("B2", "A1:G31")
    rows = list(days.iter_rows(min_row=2, values_only=True))
    assert [row[0] for row in rows] == [datetime(2026, 11, day) for day in range(1, 31)]  # noqa: DTZ001 - a cell's
    assert [row[1] for row in rows] == [tally.violations for _, tally in report.slices]
    assert days["A2"].is_date
    assert days["G3"].number_format == "0.0%"
    cameras = book["Theo camera"]
    evil = next(cell for (cell,) in cameras.iter_rows(min_row=2, max_col=1) if cell.value == "=1+1")
    assert evil.data_type == "s", "a camera's name is no formula"


def test_a_csv_reads_back_as_it_was_counted(report: Report, tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    write_report(path, Format.CSV, report, IMPRINT, "en")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    total = next(row for row in rows if row["Breakdown"] == "Total")
    assert int(total["Violations"]) == report.total.now.violations
    assert float(total["Acceptance"]) == pytest.approx(report.total.now.acceptance, abs=1e-4)
    days = [row for row in rows if row["Breakdown"] == "By day"]
    assert [row["Id"] for row in days][:2] == ["2026-11-01", "2026-11-02"]
    assert sum(int(row["Violations"]) for row in days) == report.total.now.violations
    assert "'=1+1" in [row["Name"] for row in rows]


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20))
def test_no_text_is_run_by_a_spreadsheet(text: str) -> None:
    assert not harmless(text).startswith(FORMULA)
    assert harmless(text).removeprefix("'") == text.removeprefix("'")


def test_texts_survive_both_files(tmp_path: Path) -> None:
    links = ['=HYPERLINK("http://x")', "http://x", "@sum", "-1"]
    texts = ["Đường “Lê Lợi”, số 5", "a\nb", *links, "9" * 40_000, "\x07"]
    table = Table("Bảng: [1]", [Column("Tên"), Column("Số", numeric=True)], [(text, 1) for text in texts])
    assert write_csv(tmp_path / "texts.csv", table, HUE) == len(texts)
    with (tmp_path / "texts.csv").open(encoding="utf-8-sig", newline="") as file:
        read = [row[0] for row in csv.reader(file)][1:]
    assert read == [harmless(text) for text in texts]
    assert write_xlsx(tmp_path / "texts.xlsx", [table, table], HUE) == 2 * len(texts)
    book = load_workbook(tmp_path / "texts.xlsx")
    assert book.sheetnames == ["Bảng 1", "Bảng 1 2"]
    cells = [row[0] for row in book["Bảng 1"].iter_rows(min_row=2)]
    assert [cell.value for cell in cells[:6]] == texts[:6]
    assert {cell.data_type for cell in cells} == {"s"}
    assert not any(cell.hyperlink for cell in cells)


def test_figures_are_written_as_people_of_the_language_write_them() -> None:
    assert as_text(12345, "vi", HUE) == "12.345"
    assert as_text(0.1234, "vi", HUE) == "12,3\u00a0%"
    assert as_text(0.1234, "en", HUE) == "12.3%"
    assert as_text(Change(0.5), "en", HUE) == "+50.0%"
    assert as_text(datetime(2026, 11, 1, 5, tzinfo=UTC), "vi", HUE) == "12:00 01/11/2026"


def test_every_state_and_reason_has_a_vietnamese_name() -> None:
    for code in (*State, *RejectionReason):
        assert code_name("en", code) in VIETNAMESE, code
    assert code_name("vi", "of_a_plugin") == "Of a plugin"


def test_all_titles_are_translated(report: Report) -> None:
    english, vietnamese = ([table.title for table in breakdowns(report, language)] for language in ("en", "vi"))
    assert [VIETNAMESE[title] for title in english] == vietnamese


@given(st.integers(0, 10**7))
def test_the_axis_of_a_chart_is_round_and_high_enough(most: int) -> None:
    assert most <= ceiling(most) <= max(4, 4 * most)
    assert ceiling(most) % 4 == 0

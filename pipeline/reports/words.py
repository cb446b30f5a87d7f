"""The words of reports and exports, in Vietnamese and in English. As on the desk, the English text is the key."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from pipeline.notify.words import KINDS
from pipeline.periods import Period, Slice, Span, Unit

Language = Literal["vi", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

VIETNAMESE: Mapping[str, str] = {
    # Titles
    "Report on violations": "Báo cáo vi phạm",
    "Total": "Tổng cộng",
    "By hour": "Theo giờ",
    "By day": "Theo ngày",
    "By week": "Theo tuần",
    "By month": "Theo tháng",
    "By kind": "Theo loại vi phạm",
    "By district": "Theo khu vực",
    "By ward": "Theo phường, xã",
    "By camera": "Theo camera",
    "By state": "Theo trạng thái xử lý",
    "Reasons of rejection": "Lý do từ chối",
    # Columns
    "Breakdown": "Phân nhóm",
    "Id": "Mã",
    "Name": "Tên",
    "Hour": "Giờ",
    "Day": "Ngày",
    "Week": "Tuần",
    "Month": "Tháng",
    "Kind": "Loại vi phạm",
    "District": "Khu vực",
    "Ward": "Phường, xã",
    "Camera": "Camera",
    "State": "Trạng thái",
    "Reason": "Lý do",
    "Violations": "Số vi phạm",
    "Accepted": "Chấp nhận",
    "Rejected": "Từ chối",
    "Duplicates": "Trùng lặp",
    "Undecided": "Chưa duyệt",
    "Acceptance": "Tỷ lệ chấp nhận",
    "Before": "Kỳ trước",
    "Change": "Thay đổi",
    "Accepted before": "Chấp nhận kỳ trước",
    "Acceptance before": "Tỷ lệ chấp nhận kỳ trước",
    "Share": "Tỷ trọng",
    # Lines
    "This period": "Kỳ này",
    "Period before": "Kỳ trước",
    "not named": "chưa khai báo",
    "no reason given": "không ghi lý do",
    "{year}, week {week}": "Tuần {week}/{year}",
    "{first} to {last}": "Từ {first} đến {last}",
    # States
    "Flagged": "Mới phát hiện",
    "Second review": "Chờ duyệt lần hai",
    "Duplicate": "Trùng lặp",
    "Forwarded": "Đã chuyển tiếp",
    "Closed": "Đã kết thúc",
    # Reasons of rejection
    "No violation": "Không vi phạm",
    "Not a vehicle": "Không phải phương tiện",
    "Permitted": "Được phép",
    "Directed by police": "Theo hiệu lệnh của cảnh sát",
    "Illegible plate": "Không đọc được biển số",
    "Wrong plate": "Sai biển số",
    "Poor evidence": "Chứng cứ không đủ rõ",
    "Camera misaligned": "Camera bị lệch",
    "Test": "Thử nghiệm",
    "Other": "Lý do khác",
    # Sentences
    "Made by {name} on {time}": "Người lập: {name}, lúc {time}",
    "Page {page} of {pages}": "Trang {page}/{pages}",
    "Times in {zone}": "Giờ theo múi giờ {zone}",
    "Only: {choice}": "Chỉ gồm: {choice}",
    "{difference} points": "{difference}\u00a0điểm\u00a0%",
    "Nothing was found in this period.": "Không có vi phạm nào trong kỳ này.",
    "Accepted cases include those that were forwarded or closed. Acceptance is the accepted part of those that were "
    "accepted or rejected; from {low} to {high} with 95 % confidence.": "Hồ sơ chấp nhận gồm cả hồ sơ đã chuyển tiếp "
    "hoặc đã kết thúc. Tỷ lệ chấp nhận là phần được chấp nhận trong số hồ sơ đã chấp nhận hoặc từ chối; từ {low} đến "
    "{high} với độ tin cậy 95 %.",
    "Accepted cases include those that were forwarded or closed. No case of the period was accepted or rejected "
    "yet.": "Hồ sơ chấp nhận gồm cả hồ sơ đã chuyển tiếp hoặc đã kết thúc. Chưa có hồ sơ nào của kỳ này được chấp nhận "
    "hoặc từ chối.",
    "{count} more are in the spreadsheet.": "Còn {count} dòng trong bảng tính.",
}

UNIT_TITLES: Mapping[Unit, tuple[str, str]] = {
    Unit.HOUR: ("By hour", "Hour"),
    Unit.DAY: ("By day", "Day"),
    Unit.WEEK: ("By week", "Week"),
    Unit.MONTH: ("By month", "Month"),
}


def say(language: Language, text: str, **values: object) -> str:
    """The text in a language, its `{names}` filled in. Raises KeyError for a text without a translation."""
    spoken = text if language == "en" else VIETNAMESE[text]
    return spoken.format(**values) if values else spoken


def code_name(language: Language, code: str) -> str:
    """A state or reason of the program in words; one that a plugin made, by its own name."""
    text = code.replace("_", " ").capitalize()
    return text if language == "en" else VIETNAMESE.get(text, text)


def kind_name(language: Language, kind: str) -> str:
    return KINDS[language].get(kind) or kind.replace("_", " ").capitalize()


def date_text(language: Language, day: date) -> str:
    return f"{day:%d/%m/%Y}" if language == "vi" else f"{day:%d %b %Y}"


def time_text(language: Language, time: datetime, zone: ZoneInfo) -> str:
    local = time.astimezone(zone)
    return f"{local:%H:%M} {date_text(language, local.date())}"


def share_text(language: Language, share: float) -> str:
    return number_text(language, f"{share * 100:,.1f}") + ("\u00a0%" if language == "vi" else "%")


def number_text(language: Language, english: str) -> str:
    """Vietnamese writes 1.234,5 where English writes 1,234.5."""
    return english if language == "en" else english.translate(str.maketrans(",.", ".,"))


def period_text(language: Language, period: Period) -> str:
    match period.span:
        case Span.DAY:
            return date_text(language, period.first)
        case Span.MONTH:
            return f"{say(language, 'Month')} {period.first:%m/%Y}" if language == "vi" else f"{period.first:%B %Y}"
        case Span.WEEK:
            return f"{week_text(language, period.first)} ({_from_to(language, period)})"
        case _:
            return _from_to(language, period)


def week_text(language: Language, day: date) -> str:
    year, week, _ = day.isocalendar()
    return say(language, "{year}, week {week}", year=year, week=week)


def slice_text(language: Language, part: Slice, zone: ZoneInfo) -> str:
    match part.unit:
        case Unit.HOUR:
            local = part.begin.astimezone(zone)
            return f"{local:%H:%M %z}" if local.fold else f"{local:%H:%M}"
        case Unit.WEEK:
            return f"{week_text(language, part.day)}, {date_text(language, part.day)}"
        case Unit.MONTH:
            return f"{part.day:%m/%Y}" if language == "vi" else f"{part.day:%b %Y}"
        case _:
            return date_text(language, part.day)


def _from_to(language: Language, period: Period) -> str:
    first, last = date_text(language, period.first), date_text(language, period.last)
    return say(language, "{first} to {last}", first=first, last=last)

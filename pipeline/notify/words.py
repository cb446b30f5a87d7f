"""What messages say, in Vietnamese and in English."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

Language = Literal["vi", "en"]

KINDS: dict[Language, dict[str, str]] = {
    "vi": {
        "wrong_way": "Đi ngược chiều",
        "crowd": "Tụ tập đông người",
        "fire": "Cháy hoặc khói",
        "plate": "Xe trong danh sách theo dõi",
        "plate_near": "Xe có biển số gần giống danh sách theo dõi",
        "plate_none": "Xe từng được đọc là biển số theo dõi, các lần đọc sau không xác nhận",
        "failed": "Ngừng phân tích vì lỗi",
        "dead": "Mất tín hiệu",
        "frozen": "Hình ảnh đứng yên",
        "dark": "Hình ảnh tối đen",
        "blinded": "Ống kính bị chói hoặc bị che",
        "defocused": "Hình ảnh mất nét",
        "moved": "Camera bị xoay lệch",
        "skewed": "Đồng hồ camera sai giờ",
        "clock": "Đồng hồ máy chủ bị chỉnh lại",
        "refused": "Cấu hình bị lỗi",
        "mended": "Cấu hình đã được sửa",
        "test": "Thông báo thử",
    },
    "en": {
        "wrong_way": "Wrong way",
        "crowd": "Crowd",
        "fire": "Fire or smoke",
        "plate": "Watchlist vehicle",
        "plate_near": "Vehicle with a plate near one of the watchlist",
        "plate_none": "Vehicle first read as one of the watchlist; later reads speak against it",
        "failed": "Analysis failed",
        "dead": "No pictures",
        "frozen": "Picture frozen",
        "dark": "Picture dark",
        "blinded": "Lens blinded or covered",
        "defocused": "Picture out of focus",
        "moved": "Camera moved",
        "skewed": "Camera's clock is off",
        "clock": "This computer's clock was set",
        "refused": "Configuration is wrong",
        "mended": "Configuration is good again",
        "test": "Test message",
    },
}

TEMPLATES: dict[Language, dict[str, str]] = {
    "vi": {
        "violation_began": "Bắt đầu {start}, độ tin cậy {confidence}.{plate}",
        "violation_ended": "Đã kết thúc: từ {start} đến {end}, độ tin cậy {confidence}.{plate}",
        "plate": " Biển số {plate}.",
        "camera_began": "Lỗi camera từ {start}.",
        "camera_over": "Lỗi camera đã hết: từ {start} đến {end}.",
        "failed_began": "Hình ảnh không được phân tích từ {start}; chương trình tự thử lại.",
        "failed_over": "Hình ảnh được phân tích trở lại: bị gián đoạn từ {start} đến {end}.",
        "skewed_began": "Đồng hồ của camera lệch {value} giây so với máy chủ từ {start};"
        " giờ ghi trên hình không khớp với giờ của vụ việc.",
        "clock_began": "Đồng hồ máy chủ bị chỉnh {value} giây lúc {start} (giờ mới);"
        " các vụ việc trước đó có thể mang giờ sai.",
        "clock_over": "Đồng hồ máy chủ đã ổn định sau lần chỉnh lúc {start}.",
        "refused": "Cấu hình trước vẫn có hiệu lực. {reason}",
        "mended": "Cấu hình mới đã có hiệu lực.",
        "summary_title": "{count} thông báo được gộp lại",
        "summary": "Từ {since} đến {until}: {kinds}.",
        "test": "Kênh thông báo này hoạt động.",
        "place": "{kind} – {camera}",
    },
    "en": {
        "violation_began": "Began {start}, confidence {confidence}.{plate}",
        "violation_ended": "Over: from {start} to {end}, confidence {confidence}.{plate}",
        "plate": " Plate {plate}.",
        "camera_began": "The camera is at fault since {start}.",
        "camera_over": "The camera's fault is over: from {start} to {end}.",
        "failed_began": "Its pictures are not analysed since {start}; the program tries again by itself.",
        "failed_over": "Its pictures are analysed again: it was given up from {start} to {end}.",
        "skewed_began": "Its clock is {value} s off this computer's since {start}: the time in the picture is not that"
        " of the event.",
        "clock_began": "The clock was set by {value} s at {start} (new time); events found before may have a wrong"
        " time.",
        "clock_over": "The clock has kept its time since it was set at {start}.",
        "refused": "The configuration before stays in force. {reason}",
        "mended": "The new configuration is in force.",
        "summary_title": "{count} messages were held back",
        "summary": "From {since} to {until}: {kinds}.",
        "test": "This way of notification works.",
        "place": "{kind} – {camera}",
    },
}


def kind_name(language: Language, kind: str) -> str:
    """The kind in words; a plugin's kind by its own name."""
    return KINDS[language].get(kind) or kind.replace("_", " ").capitalize()


def fault_text(language: Language, kind: str, phase: str, **values: str) -> str:
    """What is said of a camera's fault: of some kinds in words of their own."""
    own = f"{kind}_{phase}"
    return say(language, own if own in TEMPLATES[language] else f"camera_{phase}", **values)


def say(language: Language, template: str, **values: str) -> str:
    return TEMPLATES[language][template].format(**values)


def clock(language: Language, time: datetime) -> str:
    """A time of the site as its people write it."""
    return f"{time:%H:%M:%S %d/%m/%Y}" if language == "vi" else f"{time:%Y-%m-%d %H:%M:%S}"

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


def say(language: Language, template: str, **values: str) -> str:
    return TEMPLATES[language][template].format(**values)


def clock(language: Language, time: datetime) -> str:
    """A time of the site as its people write it."""
    return f"{time:%H:%M:%S %d/%m/%Y}" if language == "vi" else f"{time:%Y-%m-%d %H:%M:%S}"

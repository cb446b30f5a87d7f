"""What of a decided case is told to the public, and in whose words."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook

from pipeline.config.publication import BehaviourConfig, PublicationConfig, UnitConfig
from pipeline.reports import PublishedCase, PublishedFormat, published_case, write_published
from pipeline.reports.published import FIELDS, VEHICLES
from pipeline.review import State
from pipeline.rules.base import VEHICLES as DETECTED
from pipeline.store.report_records import DecidedCase
from tests.store.makers import NOON, identity

HUE = ZoneInfo("Asia/Ho_Chi_Minh")
SETTINGS = PublicationConfig(
    detected_by="Phòng Cảnh sát giao thông, Công an thành phố Huế",
    handled_by=(
        UnitConfig(name="Đội CSGT số 1", address="52 Hùng Vương", phone="0234 000 000"),
        UnitConfig(name="Đội 2"),
    ),
    behaviours={"wrong_way": BehaviourConfig(text="Đi ngược chiều", law="điểm x khoản y")},
)


def case(**given: Any) -> DecidedCase:
    values: dict[str, Any] = {
        "id": identity("published"),
        "camera": "gate-1",
        "camera_name": "Cổng Ngọ Môn",
        "ward": "Phú Xuân",
        "district": "",
        "kind": "wrong_way",
        "label": "truck",
        "start": NOON,
        "state": State.ACCEPTED,
        "plate_text": "75A-123.45",
        "colour": "yellow",
        "plate": None,
        "vehicle": None,
        "corrected_start": None,
    }
    return DecidedCase(**{**values, **given})


def test_a_case_has_the_fields_of_the_public_look_up() -> None:
    published = published_case(case(), SETTINGS)
    assert published is not None
    assert published.fields(HUE) == {
        "Biển kiểm soát": "75A-123.45",
        "Màu biển": "Nền màu vàng, chữ và số màu đen",
        "Loại phương tiện": "Ô tô",
        "Thời gian vi phạm": "12:00, 01/11/2026",
        "Địa điểm vi phạm": "Cổng Ngọ Môn, Phú Xuân",
        "Hành vi vi phạm": "Đi ngược chiều (điểm x khoản y)",
        "Trạng thái": "Chưa xử phạt",
        "Đơn vị phát hiện vi phạm": "Phòng Cảnh sát giao thông, Công an thành phố Huế",
        "Nơi giải quyết vụ việc": [
            "1. Đội CSGT số 1",
            "Địa chỉ: 52 Hùng Vương",
            "Số điện thoại liên hệ: 0234 000 000",
            "2. Đội 2",
        ],
    }


def test_what_officers_put_right_wins() -> None:
    later = NOON + timedelta(hours=1)
    found = published_case(case(plate="75a-999.99", vehicle="motorcycle", corrected_start=later), SETTINGS)
    assert found is not None
    assert (found.plate, found.vehicle, found.time) == ("75A-999.99", "Xe máy", later)


def test_a_closed_case_is_handled() -> None:
    found = published_case(case(state=State.CLOSED), SETTINGS)
    assert found is not None
    assert found.status == "Đã xử phạt"


@pytest.mark.parametrize(
    "given",
    [
        {"plate": ""},
        {"plate_text": None},
        {"plate_text": "#0123456789abcdef"},
        {"kind": "crowd"},
    ],
    ids=["officers could not read it", "no plate", "a pseudonym", "no behaviour of the law"],
)
def test_a_case_that_nobody_could_look_up_is_not_published(given: dict[str, Any]) -> None:
    assert published_case(case(**given), SETTINGS) is None


def test_no_law_is_cited_that_the_site_does_not_name() -> None:
    found = published_case(case(), PublicationConfig())
    assert found is not None
    assert (found.behaviour, found.detected_by, found.handled_by) == ("Đi ngược chiều", "", ())


def test_every_vehicle_that_is_detected_has_a_name() -> None:
    assert set(VEHICLES) == DETECTED


@pytest.mark.parametrize("kind", list(PublishedFormat))
def test_each_file_holds_exactly_these_fields(kind: PublishedFormat, tmp_path: Path) -> None:
    published = published_case(case(plate_text="=1+1"), SETTINGS)
    assert isinstance(published, PublishedCase)
    path = tmp_path / f"cases.{kind}"
    assert write_published(path, kind, (published for _ in range(3)), HUE) == 3
    if kind is PublishedFormat.JSON:
        assert json.loads(path.read_text(encoding="utf-8")) == [published.fields(HUE)] * 3
    elif kind is PublishedFormat.CSV:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
        assert tuple(rows[0]) == FIELDS
        assert rows[1][0] == "'=1+1"
        assert rows[1][3] == "12:00, 01/11/2026"
    else:
        rows = list(load_workbook(path).worksheets[0].iter_rows())
        assert tuple(cell.value for cell in rows[0]) == FIELDS
        assert rows[1][0].data_type == "s"
        assert rows[1][3].value == datetime(2026, 11, 1, 12, 0, 0, 123000)  # noqa: DTZ001 - a cell's


@pytest.mark.parametrize("kind", list(PublishedFormat))
def test_nothing_to_publish_is_a_good_file(kind: PublishedFormat, tmp_path: Path) -> None:
    assert write_published(tmp_path / "none", kind, (), ZoneInfo("UTC")) == 0
    if kind is PublishedFormat.JSON:
        assert json.loads((tmp_path / "none").read_text()) == []


def test_times_keep_their_zone() -> None:
    found = published_case(case(start=datetime(2026, 12, 31, 17, 30, tzinfo=UTC)), SETTINGS)
    assert found is not None
    assert found.fields(HUE)["Thời gian vi phạm"] == "00:30, 01/01/2027"

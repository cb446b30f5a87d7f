"""Decided cases with the fields that Vietnam's public look-up of camera fines shows, in its words.

Only what people decided goes out: what officers put right wins over what the machine saw, and that stays in the case
itself. A case without a plate in clear is not published, since it is looked up by its plate.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo

from pipeline.config.publication import PublicationConfig, UnitConfig
from pipeline.plate_text import is_pseudonym
from pipeline.reports.csv_file import write_csv
from pipeline.reports.tables import Cell, Column, Table
from pipeline.reports.xlsx_file import write_xlsx
from pipeline.review import State
from pipeline.store import Repository, ViolationFilter
from pipeline.store.report_records import DecidedCase

COLOURS: Mapping[str, str] = {
    "white": "Nền màu trắng, chữ và số màu đen",
    "yellow": "Nền màu vàng, chữ và số màu đen",
    "blue": "Nền màu xanh, chữ và số màu trắng",
    "red": "Nền màu đỏ, chữ và số màu trắng",
}
VEHICLES: Mapping[str, str] = {
    "car": "Ô tô",
    "bus": "Ô tô",
    "truck": "Ô tô",
    "motorcycle": "Xe máy",
    "bicycle": "Xe đạp",
}
HANDLED, NOT_HANDLED = "Đã xử phạt", "Chưa xử phạt"
FIELDS = (
    "Biển kiểm soát",
    "Màu biển",
    "Loại phương tiện",
    "Thời gian vi phạm",
    "Địa điểm vi phạm",
    "Hành vi vi phạm",
    "Trạng thái",
    "Đơn vị phát hiện vi phạm",
    "Nơi giải quyết vụ việc",
)


class PublishedFormat(StrEnum):
    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"


PUBLISHED_TYPES = {
    PublishedFormat.CSV: "text/csv; charset=utf-8",
    PublishedFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    PublishedFormat.JSON: "application/json",
}


@dataclass(frozen=True, slots=True)
class PublishedCase:
    plate: str
    colour: str
    vehicle: str
    time: datetime
    place: str
    behaviour: str
    status: str
    detected_by: str
    handled_by: Sequence[str]

    def fields(self, zone: ZoneInfo) -> dict[str, str | list[str]]:
        """The case under the names of the look-up, its time as that writes it."""
        time = f"{self.time.astimezone(zone):%H:%M, %d/%m/%Y}"
        values = (self.plate, self.colour, self.vehicle, time, self.place, self.behaviour, self.status)
        return dict(zip(FIELDS, (*values, self.detected_by, list(self.handled_by)), strict=True))

    def cells(self) -> tuple[Cell, ...]:
        values = (self.plate, self.colour, self.vehicle, self.time, self.place, self.behaviour, self.status)
        return (*values, self.detected_by, "; ".join(self.handled_by))


def published_cases(
    repository: Repository, wanted: ViolationFilter, settings: PublicationConfig
) -> Iterator[PublishedCase]:
    """Those of the confirmed cases among these violations that are published, oldest first; see
    `ExportQueries.decided_cases`."""
    for case in repository.decided_cases(wanted, settings.behaviours):
        if (published := published_case(case, settings)) is not None:
            yield published


def published_case(case: DecidedCase, settings: PublicationConfig) -> PublishedCase | None:
    """The case as it is published, None where it is not: no plate in clear, or no behaviour of the law."""
    plate = (case.plate_text if case.plate is None else case.plate) or ""
    behaviour = settings.behaviours.get(case.kind)
    if not plate or is_pseudonym(plate) or behaviour is None:
        return None
    vehicle = case.vehicle or case.label
    return PublishedCase(
        plate=plate.strip().upper(),
        colour=COLOURS.get(case.colour, ""),
        vehicle=VEHICLES.get(vehicle, vehicle),
        time=case.corrected_start or case.start,
        place=", ".join(part for part in (case.camera_name or case.camera, case.ward, case.district) if part),
        behaviour=f"{behaviour.text} ({behaviour.law})" if behaviour.law else behaviour.text,
        status=HANDLED if case.state is State.CLOSED else NOT_HANDLED,
        detected_by=settings.detected_by,
        handled_by=tuple(_unit_lines(settings.handled_by)),
    )


def write_published(path: Path, kind: PublishedFormat, cases: Iterable[PublishedCase], zone: ZoneInfo) -> int:
    """Write the cases one after the other, and give back how many they are."""
    match kind:
        case PublishedFormat.JSON:
            return _write_json(path, cases, zone)
        case PublishedFormat.CSV:
            rows = ([_joined(value) for value in case.fields(zone).values()] for case in cases)
            return write_csv(path, _table(rows), zone)
        case PublishedFormat.XLSX:
            return write_xlsx(path, [_table(case.cells() for case in cases)], zone)


def _write_json(path: Path, cases: Iterable[PublishedCase], zone: ZoneInfo) -> int:
    number = 0
    with path.open("w", encoding="utf-8") as file:
        file.write("[")
        for number, case in enumerate(cases, 1):
            file.write(",\n" if number > 1 else "\n")
            file.write(json.dumps(case.fields(zone), ensure_ascii=False))
        file.write("\n]\n")
    return number


def _table(rows: Iterable[Sequence[Cell]]) -> Table:
    return Table("Vi phạm", [Column(name) for name in FIELDS], rows)


def _joined(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "; ".join(value)


def _unit_lines(units: Sequence[UnitConfig]) -> Iterator[str]:
    for number, unit in enumerate(units, 1):
        yield f"{number}. {unit.name}"
        if unit.address:
            yield f"Địa chỉ: {unit.address}"
        if unit.phone:
            yield f"Số điện thoại liên hệ: {unit.phone}"

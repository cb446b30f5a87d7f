"""The written part of a case file: what the database holds of the case, as JSON and as a page for people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, tzinfo
from enum import Enum
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from pipeline.casefile.state import CaseState
from pipeline.clocks import SET_BEFORE, set_in
from pipeline.evidence.case_manifest import EVIDENCE
from pipeline.evidence.manifest import canonical
from pipeline.notify.words import kind_name
from pipeline.store.alterations import among
from pipeline.store.chain import CAMERA_NOW, RUN_NOW
from pipeline.store.row_check import CHANGED, DELETED, LOST, PUT_BACK, PUT_IN, UNREADABLE
from pipeline.types import EvidenceFile

CHAIN = "chain.json"
PICTURES = ("overlay", "still", "plate")
RECEIVER = "on the clock of the computer that received it, or from where a recording began"
AHEAD = (
    "by how much the camera's own clock, which may stand in its picture, was ahead of the receiving computer's when "
    "the violation was found; null when the camera does not tell"
)
SET = (
    "how the receiving computer's clock was set within an hour before the run that found the violation, and at that "
    "run's end; null when it was not. Times of the run are by the clock as it was between the two; if it was wrong "
    "then, they are wrong by as much"
)
STATES: Mapping[str, tuple[str, str]] = {
    "flagged": ("chờ duyệt", "flagged, not reviewed yet"),
    "second_review": ("chờ duyệt lần hai", "waits for a second review"),
    "accepted": ("đã xác nhận vi phạm", "accepted"),
    "rejected": ("đã từ chối", "rejected"),
    "duplicate": ("trùng với hồ sơ khác", "repeats another case"),
    "forwarded": ("đã chuyển tiếp", "forwarded"),
    "closed": ("đã kết thúc", "closed"),
}

ROWS: Mapping[str, tuple[str, str]] = {
    "violations": ("vi phạm", "violation"),
    "evidence": ("chứng cứ", "evidence"),
    "reviews": ("kết quả duyệt", "review"),
    "plate_reads": ("kết quả đọc biển số", "plate read"),
    "legal_holds": ("yêu cầu lưu giữ", "legal hold"),
    "removals": ("lệnh xóa", "removal"),
    "cameras": ("camera", "camera"),
    "runs": ("đợt phân tích", "run"),
    "": ("mục của chuỗi đã bị sửa, không rõ dữ liệu nào", "the entry itself was changed: which row is not known"),
}
DEEDS: Mapping[str, tuple[str, str]] = {
    CHANGED: ("bị sửa", "changed"),
    DELETED: ("bị xóa", "deleted"),
    PUT_IN: ("bị chèn vào", "put in"),
    PUT_BACK: ("bị chèn lại sau khi đã xóa", "put back after it was deleted"),
    UNREADABLE: ("bị sửa đến mức không đọc được", "cannot be read any more"),
    LOST: ("không đối chiếu được: mục trước đó của chuỗi đã mất hoặc bị sửa", "cannot be checked: its entry was lost"),
    "": ("", ""),
}


def case_documents(case: CaseState, zone: tzinfo, site: str, *, redacted: bool) -> dict[str, bytes]:
    """The documents by their names in the case file. `zone` is the site's, for the page."""
    return {
        "violation.json": canonical({"violation": _plain(case.violation, {"evidence"}), "plate": _plain(case.plate)}),
        "review.json": canonical({"review": _plain(case.review, {"plate_read"}), "history": _plain(case.history)}),
        "camera.json": canonical({"camera": _plain(case.camera, CAMERA_NOW), "run": _plain(case.run, RUN_NOW)}),
        "clock.json": canonical(_clock(case)),
        "configuration.json": canonical(_configuration(case)),
        CHAIN: canonical({"entries": _plain(case.chain)}),
        "summary.html": _page("summary.html", case, zone, site, redacted=redacted).encode(),
    }


def instructions(violation: str, key: str, pem: bytes) -> dict[str, bytes]:
    """How to verify the case without this program, in both languages, and the public key."""
    text = _environment().get_template("verify.txt").render(violation=violation, key=key)
    return {"HOW-TO-VERIFY.txt": text.encode(), "public-key.pem": pem}


def _clock(case: CaseState) -> dict[str, Any]:
    """How the times of the case came about."""
    told = case.violation.trace.get("details", {}).get("clock", {})
    recorded = case.run is not None and case.run.content_sha256
    clock = "counted from the moment at which the recording began" if recorded else RECEIVER
    return {
        "times": f"UTC, of the footage itself, {clock}",
        "camera_ahead_seconds": told.get("camera_ahead_seconds"),
        "camera_ahead_seconds_means": AHEAD,
        "computer_set": {
            "before_run": told.get(SET_BEFORE),
            "at_end_of_run": set_in(case.run.error) if case.run else None,
        },
        "computer_set_means": SET,
        "footage_sha256": case.run.content_sha256 if case.run else "",
    }


def _configuration(case: CaseState) -> dict[str, Any]:
    """The settings of this camera in the version that was in force; those of others are nobody's business here."""
    if case.configuration is None:
        return {"version": case.run.configuration if case.run else None, "since": None, "camera": None}
    settings = json.loads(case.configuration.text)
    own = next((each for each in settings.get("cameras", []) if each.get("id") == case.violation.camera), None)
    return {"version": case.configuration.hash, "since": moment(case.configuration.created), "camera": own}


def _page(template: str, case: CaseState, zone: tzinfo, site: str, *, redacted: bool) -> str:
    violation = case.violation
    files = violation.evidence.files if violation.evidence else ()
    values = {
        "case": case,
        "violation": violation,
        "site": site,
        "zone": zone,
        "redacted": redacted,
        "kinds": (kind_name("vi", violation.kind), kind_name("en", violation.kind)),
        "state": STATES.get(violation.review_state, (violation.review_state, violation.review_state)),
        "pictures": [f"{EVIDENCE}/{file.name}" for role in PICTURES for file in files if _shown(file, role, redacted)],
        "configuration": _configuration(case)["version"],
        "clock": _clock(case),
        "alterations": among(case.chain),
        "rows": ROWS,
        "deeds": DEEDS,
    }
    return _environment(zone).get_template(template).render(values)


def _shown(file: EvidenceFile, role: str, redacted: bool) -> bool:
    """Of a redacted copy, whether its plate may be shown is known only to the copy."""
    return file.role == role and not (redacted and role == "plate")


def _environment(zone: tzinfo | None = None) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(["html"], default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["clock"] = lambda time: f"{time.astimezone(zone):%d/%m/%Y %H:%M:%S.%f}"[:-3]
    return environment


def moment(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="microseconds")


def _plain(value: Any, left_out: frozenset[str] | set[str] = frozenset()) -> Any:
    """A record as JSON, without these fields of it."""
    if is_dataclass(value) and not isinstance(value, type):
        names = (field.name for field in fields(value) if field.name not in left_out)
        return {name: _plain(getattr(value, name)) for name in names}
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value

"""Registrations with targets and routes for the tests of notifications."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pipeline.config import Config, TargetConfig
from pipeline.notify import Message

SECRET = "a-long-signing-secret"


def config(
    *targets: dict[str, Any], routes: list[dict[str, Any]] | None = None, zone: str = "Asia/Ho_Chi_Minh"
) -> Config:
    """Two cameras; unless `routes` are given, everything goes to every target."""
    everything = {
        "targets": [target["id"] for target in targets],
        "events": ["violation_began", "violation_ended", "camera", "configuration"],
    }
    return Config.model_validate(
        {
            "site": {"name": "Huế", "timezone": zone},
            "notifications": {"targets": targets, "routes": [everything] if routes is None else routes},
            "cameras": [
                {"id": "gate-1", "name": "Cổng 1", "source": "rtsp://127.0.0.1/1"},
                {"id": "gate-2", "source": "rtsp://127.0.0.1/2"},
            ],
        }
    )


def webhook(address: str, name: str = "desk", **given: Any) -> dict[str, Any]:
    return {"id": name, "kind": "webhook", "url": address, "secret": SECRET, "language": "en", **given}


def target(**given: Any) -> TargetConfig:
    return TargetConfig.model_validate(given)


def message(**given: Any) -> Message:
    values = {
        "id": UUID(int=7),
        "event": "violation_began",
        "camera": "gate-1",
        "title": "Huế: Cháy – Cổng 1",
        "text": "Bắt đầu 17:20:05",
        "data": {"violation": {"kind": "fire"}},
    }
    return Message(**{**values, **given})

"""A configuration as it is kept beside the events that were found under it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from pipeline.config.camera import CameraConfig
from pipeline.config.schema import Config


@dataclass(frozen=True, slots=True)
class ConfigVersion:
    """All settings in force as JSON `text`, secrets hidden; `hash` is the SHA-256 of that text in UTF-8.

    A changed secret is no new version: nothing of it may be guessed from the hash.
    """

    hash: str
    text: str

    @classmethod
    def of(cls, config: Config) -> ConfigVersion:
        settings = config.model_dump(mode="json")
        settings["cameras"] = [_camera(camera) for camera in config.cameras]
        text = json.dumps(settings, indent=1, ensure_ascii=False, sort_keys=True)
        return cls(hashlib.sha256(text.encode()).hexdigest(), text)


def _camera(camera: CameraConfig) -> dict[str, Any]:
    """The camera's settings, with the source as it may be shown and the hashes of what its rules took from files."""
    settings: dict[str, Any] = camera.model_dump(mode="json")
    settings["source"]["url"] = camera.source.redacted
    for rule, shown in zip(camera.rules, settings["rules"], strict=True):
        if rule.content:
            shown["content_sha256"] = rule.content
    return settings

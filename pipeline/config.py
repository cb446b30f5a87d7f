"""Schema of streams.yaml, and `load`, which finds every fault at once and says where it is."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from pipeline.rules.base import RuleConfig

# Placeholder of the schema's shape; the owner of this file writes the validation, the locations and load().


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ZoneConfig(Section):
    id: str
    polygon: tuple[tuple[float, float], ...]


class LaneConfig(ZoneConfig):
    direction: tuple[tuple[float, float], ...]


class GroundConfig(Section):
    points: tuple[tuple[float, float], ...]
    metres: tuple[tuple[float, float], ...]


class DetectorConfig(Section):
    model: str
    rate: float | None = None
    threshold: float | None = None
    slices: tuple[int, int] = (1, 1)


class CameraConfig(Section):
    id: str
    name: str = ""
    detectors: tuple[DetectorConfig, ...] = ()
    zones: tuple[ZoneConfig, ...] = ()
    lanes: tuple[LaneConfig, ...] = ()
    ground: GroundConfig | None = None
    rules: tuple[RuleConfig, ...] = Field(default=())

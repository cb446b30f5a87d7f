"""Schema of streams.yaml, and `load`, which finds every fault at once and says where it is."""

from pipeline.config.camera import (
    CameraConfig,
    DetectorConfig,
    EvidenceConfig,
    LocationConfig,
    RetentionConfig,
)
from pipeline.config.editor import json_schema
from pipeline.config.loading import load
from pipeline.config.places import GroundConfig, LaneConfig, ZoneConfig
from pipeline.config.schedule import Window
from pipeline.config.schema import Config, DefaultsConfig, InferenceConfig, SiteConfig, StorageConfig
from pipeline.config.secrets import redact
from pipeline.config.source import SourceConfig

__all__ = [
    "CameraConfig",
    "Config",
    "DefaultsConfig",
    "DetectorConfig",
    "EvidenceConfig",
    "GroundConfig",
    "InferenceConfig",
    "LaneConfig",
    "LocationConfig",
    "RetentionConfig",
    "SiteConfig",
    "SourceConfig",
    "StorageConfig",
    "Window",
    "ZoneConfig",
    "json_schema",
    "load",
    "redact",
]

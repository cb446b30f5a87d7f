"""Schema of streams.yaml, and `load`, which finds every fault at once and says where it is."""

from pipeline.config.camera import (
    CameraConfig,
    DetectorConfig,
    EvidenceConfig,
    LocationConfig,
)
from pipeline.config.changes import Changes, compare, in_force
from pipeline.config.editor import json_schema
from pipeline.config.loading import load
from pipeline.config.notifications import NotificationsConfig, RouteConfig, TargetConfig
from pipeline.config.places import GroundConfig, LaneConfig, ZoneConfig
from pipeline.config.retention import RetentionConfig, SiteRetentionConfig
from pipeline.config.schedule import Window
from pipeline.config.schema import Config, DefaultsConfig, InferenceConfig, SiteConfig, StorageConfig
from pipeline.config.secrets import redact
from pipeline.config.source import SourceConfig
from pipeline.config.version import ConfigVersion
from pipeline.config.watching import ConfigFile

__all__ = [
    "CameraConfig",
    "Changes",
    "Config",
    "ConfigFile",
    "ConfigVersion",
    "DefaultsConfig",
    "DetectorConfig",
    "EvidenceConfig",
    "GroundConfig",
    "InferenceConfig",
    "LaneConfig",
    "LocationConfig",
    "NotificationsConfig",
    "RetentionConfig",
    "RouteConfig",
    "SiteConfig",
    "SiteRetentionConfig",
    "SourceConfig",
    "StorageConfig",
    "TargetConfig",
    "Window",
    "ZoneConfig",
    "compare",
    "in_force",
    "json_schema",
    "load",
    "redact",
]

"""Whether a camera itself is well: it sends pictures, they change, and they show what they showed before."""

from pipeline.health.camera_health import CameraHealth

__all__ = ["CameraHealth"]

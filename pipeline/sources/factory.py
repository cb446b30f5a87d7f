"""From a camera's configuration to its source."""

from __future__ import annotations

from pipeline.config import CameraConfig
from pipeline.sources.pool import ReaderPool
from pipeline.sources.recording import Recording
from pipeline.sources.rtsp import RtspCamera


def open_source(camera: CameraConfig, readers: ReaderPool) -> Recording | RtspCamera:
    """The recording or live camera that the configuration names.

    A live camera is read by `readers`, and first connected to by `frames`.

    Raises:
        SourceError: the recording cannot be opened.
        AnchorError: nothing says when the recording begins.
    """
    source = camera.source
    if source.live:
        return RtspCamera(
            source.address,
            camera.id,
            camera.rate,
            source.transport,
            readers=readers,
            analysis=source.analysis_address,
            stall=source.stall,
            decode=source.decode,
            hardware=source.hardware,
            memory=camera.evidence.passing_bytes,
        )
    return Recording(
        source.path, camera.id, camera.rate, start=camera.start, pattern=source.pattern, timezone=camera.zone
    )

"""Where frames and packets come from: recordings and live cameras."""

from pipeline.sources.base import MediaPacket, Source, StreamInfo
from pipeline.sources.factory import open_source
from pipeline.sources.pool import ReaderPool
from pipeline.sources.recording import Recording
from pipeline.sources.rtsp import CameraState, RtspCamera

__all__ = ["CameraState", "MediaPacket", "ReaderPool", "Recording", "RtspCamera", "Source", "StreamInfo", "open_source"]

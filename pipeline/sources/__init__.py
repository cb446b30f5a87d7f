"""Where frames and packets come from: recordings and live cameras."""

from pipeline.sources.base import MediaPacket, Source, StreamInfo
from pipeline.sources.recording import Recording

__all__ = ["MediaPacket", "Recording", "Source", "StreamInfo"]

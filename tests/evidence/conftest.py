from __future__ import annotations

from ..servers.rtsp import rtsp_server

__all__ = ["rtsp_server"]

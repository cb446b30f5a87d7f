from __future__ import annotations

from tests.servers.disk import small_disk

__all__ = ["small_disk"]

from __future__ import annotations

from ..servers.broker import broker
from ..servers.receiver import receiver
from ..store.conftest import repository, url

__all__ = ["broker", "receiver", "repository", "url"]

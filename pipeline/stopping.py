"""The wish to stop, which is told to all threads at once and waited for by each in its turn."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic


class Stop(threading.Event):
    """An event that knows when it was set: a thread that had its time to end is not waited for once more.

    `hopeless` says why it is of no use to wait for the end any longer, and what is left undone; "" while it is. It may
    touch no disk.
    """

    def __init__(self) -> None:
        super().__init__()
        self.hopeless: Callable[[], str] = str
        self._since: float | None = None

    def set(self) -> None:
        if self._since is None:
            self._since = monotonic()
        super().set()

    def left(self, seconds: float) -> float:
        """What is left of so many seconds since it was set."""
        return seconds if self._since is None else max(0.0, self._since + seconds - monotonic())

    def join(self, thread: threading.Thread, seconds: float) -> None:
        """Set it, and wait for a thread that ends by it, until so many seconds after it was set at first."""
        self.set()
        if thread.is_alive():
            thread.join(self.left(seconds))

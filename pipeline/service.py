"""Tells systemd how the service is, by the protocol of sd_notify(3); elsewhere it does nothing."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

LONGEST_PAUSE = 30.0


@contextmanager
def supervised(lives: Callable[[], bool]) -> Iterator[None]:
    """Ready while the context lasts, and stopping afterwards.

    Where the unit has a WatchdogSec, a sign of life is given twice in it for as long as `lives` says so: a program
    that hangs is killed and started again.
    """
    done = threading.Event()
    pause = min(LONGEST_PAUSE, int(os.environ.get("WATCHDOG_USEC", "0")) / 2e6)
    notify("READY=1")
    if pause:
        threading.Thread(target=_beat, args=(lives, done, pause), name="watchdog", daemon=True).start()
    try:
        yield
    finally:
        notify("STOPPING=1")
        done.set()


def notify(state: str) -> None:
    """Send a state to the service manager, if there is one. A manager that does not listen is no fault."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.connect("\0" + address[1:] if address.startswith("@") else address)
        manager.send(state.encode())


def _beat(lives: Callable[[], bool], done: threading.Event, pause: float) -> None:
    while not done.wait(pause):
        if lives():
            notify("WATCHDOG=1")

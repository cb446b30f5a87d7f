"""Tells systemd how the service is, by the protocol of sd_notify(3); elsewhere it does nothing."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

LONGEST_PAUSE = 30.0
ASKED_SECONDS = 60.0
"""For so much longer a start is to be waited for; asked for three times in it."""


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


@contextmanager
def taking_long(what: str) -> Iterator[None]:
    """While the context lasts, a start that is at `what` is not ended for taking longer than the unit allows."""
    done = threading.Event()

    def ask() -> None:
        while True:
            notify(f"EXTEND_TIMEOUT_USEC={round(ASKED_SECONDS * 1e6)}\nSTATUS={what}")
            if done.wait(ASKED_SECONDS / 3):
                return

    asking = threading.Thread(target=ask, name="start", daemon=True)
    asking.start()
    try:
        yield
    finally:
        done.set()
        asking.join()
        notify("STATUS=")


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

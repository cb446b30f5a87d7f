"""A reader process: `python -m pipeline.readers.worker DESCRIPTOR`, started by the pool that owns it.

It is told over the socket behind DESCRIPTOR what to read, so that no address or password is among its arguments,
and it ends with that socket.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
from datetime import datetime, timedelta
from time import sleep
from typing import NoReturn

from av.video.frame import VideoFrame

from pipeline.allocator import Trimming, return_large_blocks
from pipeline.process import end_with
from pipeline.readers.connection import Connection
from pipeline.readers.failure import Failure
from pipeline.readers.host_clock import HostClock
from pipeline.readers.messages import (
    SKEW,
    Channel,
    FrameNotice,
    Kind,
    Order,
    encode_packet,
    encode_stream,
)
from pipeline.readers.packets import MediaPacket, StreamInfo
from pipeline.readers.slots import FrameWriter
from pipeline.readers.steady_clock import SteadyClock

BEAT_SECONDS = 1.0
SKEW_STEP = 0.02
"""Seconds by which the camera's clock has to move over ours to be told again."""
APART = 5.0
"""Two streams of one camera are not further apart; what says so is a wrong clock."""


class Job:
    """One camera being read, over one connection or, with a stream of its own for analysis, two."""

    def __init__(self, number: int, order: Order, channel: Channel, memory: int) -> None:
        self._number = number
        self._channel = channel
        self._frames = FrameWriter(memory, self._announce)
        self._streams: dict[StreamInfo, int] = {}
        self._skews: dict[bool, float] = {}
        self._told: float | None = None
        self._shown: datetime | None = None
        self._lock = threading.Lock()
        self._failed = False
        start = order.earliest and order.earliest + timedelta(milliseconds=1)
        steady = SteadyClock(order.boot)
        clock = HostClock(steady, order.epoch, start)
        if order.analysis is None:
            self.connections = [Connection(order.url, order, self, clock)]
        else:
            self.connections = [
                Connection(order.url, order, self, clock, frames=False),
                Connection(order.analysis, order, self, HostClock(steady, order.epoch, start), packets=False),
            ]
        self._open = len(self.connections)

    @property
    def late(self) -> int:
        """Frames that a newer one replaced before a slot was free."""
        return self._frames.dropped

    def start(self) -> None:
        for connection in self.connections:
            connection.start()

    def abandon(self) -> None:
        for connection in self.connections:
            connection.abandon()

    def release(self, slot: int) -> None:
        try:
            self._frames.release(slot)
        except Exception as error:
            self.failed(Failure(f"the reader failed: {type(error).__name__}"))

    def packet(self, packet: MediaPacket, epoch: datetime) -> None:
        if packet.stream not in self._streams:
            self._streams[packet.stream] = len(self._streams)
            self._send(Kind.STREAM, encode_stream(self._streams[packet.stream], packet.stream, epoch))
        self._send(Kind.PACKET, encode_packet(self._streams[packet.stream], packet), packet.data)

    def frame(self, time: datetime, frame: VideoFrame) -> None:
        """With two streams, what the camera's clock says of both brings the frame to the time of the packets."""
        if len(self._skews) == 2 and abs(apart := self._skews[False] - self._skews[True]) < APART:
            time += timedelta(seconds=apart)
        if self._shown is None or time > self._shown:
            self._shown = time
            self._frames.offer(time, frame)

    def skew(self, seconds: float, *, main: bool) -> None:
        self._skews[main] = seconds
        if main and (self._told is None or abs(seconds - self._told) > SKEW_STEP):
            self._told = seconds
            self._send(Kind.SKEW, SKEW.pack(seconds))

    def note(self, event: str, **details: str) -> None:
        self._send(Kind.NOTE, json.dumps({"event": event, **details}).encode())

    def failed(self, failure: Failure) -> None:
        """Tell the first failure; a camera with two connections gives up both."""
        with self._lock:
            first, self._failed = not self._failed, True
        if first:
            self._send(Kind.FAILURE, json.dumps({"reason": failure.reason, "refused": failure.refused}).encode())
            self.abandon()

    def ended(self) -> None:
        """Tell when the last connection has ended; one that hangs never does."""
        with self._lock:
            self._open -= 1
            last = not self._open
        if last:
            self._frames.close()
            self._send(Kind.ENDED)

    def _announce(self, notice: FrameNotice) -> None:
        self._send(Kind.FRAME, notice.encode())

    def _send(self, kind: Kind, *parts: bytes | memoryview) -> None:
        send_or_end(self._channel, kind, self._number, *parts)


def serve(channel: Channel) -> NoReturn:
    """Do what the owner says until it is gone."""
    jobs: dict[int, Job] = {}
    threading.Thread(target=_beat, args=(channel, jobs), name="heartbeat", daemon=True).start()
    while (message := channel.receive()) is not None:
        kind, number, body = message
        if kind == Kind.OPEN:
            jobs[number] = Job(number, Order.decoded(body), channel, channel.descriptor())
            jobs[number].start()
        elif kind == Kind.RELEASE and number in jobs:
            jobs[number].release(body[0])
        elif kind == Kind.CLOSE and number in jobs:
            jobs.pop(number).abandon()
    os._exit(0)  # threads that hang must not hold the process


def _beat(channel: Channel, jobs: dict[int, Job]) -> NoReturn:
    """Tell each second that the process lives, what each connection has received and what of it was damaged, and how
    many frames of each camera were replaced before they could be handed over."""
    trimming = Trimming()
    while True:
        counts = {
            number: [[[each.received, each.damaged] for each in job.connections], job.late]
            for number, job in jobs.copy().items()
        }
        send_or_end(channel, Kind.BEAT, 0, json.dumps(counts).encode())
        trimming.tick()
        sleep(BEAT_SECONDS)


def send_or_end(channel: Channel, kind: Kind, number: int, *parts: bytes | memoryview) -> None:
    """Send; without an owner there is nothing left to do."""
    try:
        channel.send(kind, number, *parts)
    except OSError:
        os._exit(0)


def main() -> None:
    """The owner stops this process itself: signals sent to the whole group are not for it."""
    return_large_blocks()
    descriptor, owner = map(int, sys.argv[1:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    end_with(owner)
    serve(Channel(socket.socket(fileno=descriptor)))


if __name__ == "__main__":
    main()

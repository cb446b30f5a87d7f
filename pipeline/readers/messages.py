"""What passes between the engine's process and a reader process, as bytes over a socket.

Each message is a header, then a body of the length it tells. What happens often is a fixed layout, the rest is JSON.
Nothing is unpickled: a reader process handles what strangers send, and its answers are not trusted with more than
their meaning.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from fractions import Fraction
from typing import Any, Literal, TypeAlias

from pipeline.readers.packets import MediaPacket, StreamInfo

Transport: TypeAlias = Literal["tcp", "udp"]
Decoded: TypeAlias = Literal["all", "keyframes"]

HEADER = struct.Struct("<IBI")
"""Length of the body, kind of message, number of the reading it is about (0: the process)."""
PACKET = struct.Struct("<IqqqqB")
FRAME = struct.Struct("<BQIIBq")
SKEW = struct.Struct("<d")

TIMES = ("epoch", "earliest", "boot")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOTHING = -(2**63)
LONGEST = 256 * 2**20
"""No message is longer: whoever announces one has lost its place."""


class Kind(IntEnum):
    """The first three go to a reader process, the others come from it."""

    OPEN = 1
    CLOSE = 2
    RELEASE = 3
    STREAM = 10
    PACKET = 11
    FRAME = 12
    SKEW = 13
    FAILURE = 14
    ENDED = 15
    BEAT = 16
    NOTE = 17


@dataclass(frozen=True, slots=True)
class Order:
    """What a reader process is to read: one camera, once. Holds secrets: its representation hides them.

    `url` gives the packets; frames are decoded from it too, unless `analysis` names a stream of its own for them. Of
    the frames at most `rate` a second are handed over, and with `decode` keyframes no others are decoded. `hardware`
    is a kind of decoder device. `timeout` is in seconds. `epoch` and `earliest` continue the camera's time. `boot` says
    by which clock it is told (see SteadyClock). `memory` is how many bytes of packets may wait to be taken by the
    engine's process.
    """

    camera: str
    url: str = field(repr=False)
    analysis: str | None = field(default=None, repr=False)
    transport: Transport = "tcp"
    timeout: float = 10.0
    rate: float | None = None
    decode: Decoded = "all"
    hardware: str | None = None
    epoch: datetime | None = None
    earliest: datetime | None = None
    boot: datetime | None = None
    memory: int = 8 * 2**20

    def encode(self) -> bytes:
        times = {name: to_microseconds(getattr(self, name)) for name in TIMES}
        return json.dumps({**asdict(self), **times}).encode()

    @classmethod
    def decoded(cls, body: bytes) -> Order:
        values = json.loads(body)
        times = {name: from_microseconds(values[name]) for name in TIMES}
        return cls(**{**values, **times})


@dataclass(frozen=True, slots=True)
class FrameNotice:
    """A frame lies in the shared memory: uint8 [height, width, 3] BGR at `offset`, in `slot` until released.

    It is to be turned by `quarters` of a full turn anticlockwise.
    """

    slot: int
    offset: int
    width: int
    height: int
    quarters: int
    time: datetime

    def encode(self) -> bytes:
        microseconds = to_microseconds(self.time) or 0
        return FRAME.pack(self.slot, self.offset, self.width, self.height, self.quarters, microseconds)

    @classmethod
    def decoded(cls, body: bytes) -> FrameNotice:
        slot, offset, width, height, quarters, microseconds = FRAME.unpack(body)
        return cls(slot, offset, width, height, quarters, from_microseconds(microseconds) or EPOCH)


def encode_stream(number: int, info: StreamInfo, epoch: datetime) -> bytes:
    """The description of stream `number`, to which later packets refer."""
    values = {each.name: getattr(info, each.name) for each in fields(info)}
    values |= {
        "time_base": str(info.time_base),
        "rate": info.rate and str(info.rate),
        "extradata": info.extradata.hex(),
        "number": number,
        "epoch": to_microseconds(epoch),
    }
    return json.dumps(values).encode()


def decode_stream(body: bytes) -> tuple[int, StreamInfo, datetime]:
    """Number, description, and the moment of tick 0."""
    values: dict[str, Any] = json.loads(body)
    number, epoch = values.pop("number"), values.pop("epoch")
    values["time_base"] = Fraction(values["time_base"])
    values["rate"] = values["rate"] and Fraction(values["rate"])
    values["extradata"] = bytes.fromhex(values["extradata"])
    return number, StreamInfo(**values), from_microseconds(epoch) or EPOCH


def encode_packet(number: int, packet: MediaPacket) -> bytes:
    """All of a packet but its data, which follows."""
    dts = NOTHING if packet.dts is None else packet.dts
    duration = NOTHING if packet.duration is None else packet.duration
    return PACKET.pack(number, to_microseconds(packet.time) or 0, packet.pts, dts, duration, packet.is_keyframe)


def decode_packet(
    body: bytes, streams: Mapping[int, StreamInfo], keep: Callable[[memoryview], memoryview]
) -> MediaPacket:
    """The packet, whose data lies where `keep` put it."""
    number, microseconds, pts, dts, duration, is_keyframe = PACKET.unpack_from(body)
    return MediaPacket(
        stream=streams[number],
        time=from_microseconds(microseconds) or EPOCH,
        pts=pts,
        dts=None if dts == NOTHING else dts,
        duration=None if duration == NOTHING else duration,
        is_keyframe=bool(is_keyframe),
        data=keep(memoryview(body)[PACKET.size :]),
    )


def to_microseconds(time: datetime | None) -> int | None:
    return None if time is None else (time - EPOCH) // timedelta(microseconds=1)


def from_microseconds(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else EPOCH + timedelta(microseconds=microseconds)


class Channel:
    """One end of the socket between the two processes. Sending is safe from any thread; one thread receives."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._lock = threading.Lock()
        self._received = bytearray()
        self._descriptors: list[int] = []

    def send(self, kind: Kind, reading: int, *parts: bytes | memoryview, descriptor: int | None = None) -> None:
        """Send a message, with a file descriptor when given. Waits while the other side does not read.

        Raises:
            OSError: the other side is gone.
        """
        header = HEADER.pack(sum(map(len, parts)), kind, reading)
        with self._lock:
            if descriptor is None:
                self._socket.sendall(b"".join((header, *parts)))
            else:
                sent = socket.send_fds(self._socket, [header], [descriptor])
                self._socket.sendall(b"".join((header[sent:], *parts)))

    def receive(self) -> tuple[int, int, bytes] | None:
        """The next message as kind, reading and body; None when the other side is gone.

        Raises:
            ValueError: what came is no message.
        """
        header = self._take(HEADER.size)
        if header is None:
            return None
        length, kind, reading = HEADER.unpack(header)
        if length > LONGEST:
            raise ValueError("a message too long")
        body = self._take(length)
        return None if body is None else (kind, reading, body)

    def descriptor(self) -> int:
        """The file descriptor that came with the last message that carries one; the receiver's to close."""
        return self._descriptors.pop(0)

    def close(self) -> None:
        """End the connection; who waits in `receive` or `send` on either side is woken."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _take(self, size: int) -> bytes | None:
        while len(self._received) < size:
            try:
                data, descriptors, _, _ = socket.recv_fds(self._socket, max(65536, size - len(self._received)), 8)
            except OSError:
                return None
            self._descriptors += descriptors
            if not data:
                return None
            self._received += data
        taken = bytes(memoryview(self._received)[:size])
        del self._received[:size]
        return taken

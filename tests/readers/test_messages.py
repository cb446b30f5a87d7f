from __future__ import annotations

import os
import socket
import threading
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.readers.messages import (
    HEADER,
    LONGEST,
    Channel,
    FrameNotice,
    Kind,
    Order,
    decode_packet,
    decode_stream,
    encode_packet,
    encode_stream,
)
from pipeline.readers.packets import MediaPacket, StreamInfo

NOON = datetime(2024, 1, 31, 12, tzinfo=UTC)
INFO = StreamInfo("h264", 640, 360, "yuv420p", Fraction(1, 90_000), None, b"\x01\x02")
TIMES = st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1)).map(lambda time: time.replace(tzinfo=UTC))  # noqa: DTZ001
TICKS = st.integers(-(2**62), 2**62)


@given(TIMES, TICKS, st.none() | TICKS, st.none() | TICKS, st.booleans(), st.binary())
def test_a_packet_arrives_as_it_was(
    time: datetime, pts: int, dts: int | None, duration: int | None, is_keyframe: bool, data: bytes
) -> None:
    packet = MediaPacket(INFO, time, pts, dts, duration, is_keyframe, data)
    other = decode_packet(encode_packet(3, packet) + data, {3: INFO}, memoryview.toreadonly)
    for name in ("stream", "time", "pts", "dts", "duration", "is_keyframe", "data"):
        assert getattr(other, name) == getattr(packet, name)


@pytest.mark.parametrize("rate", [None, Fraction(30_000, 1001)])
def test_a_stream_and_an_order_arrive_as_they_were(rate: Fraction | None) -> None:
    info = StreamInfo("hevc", 1, 2, "", Fraction(1, 1000), rate, b"", rotation=90)
    assert decode_stream(encode_stream(7, info, NOON)) == (7, info, NOON)
    order = Order("gate", "rtsp://u:s3cret@10.0.0.1/", rate=2.5, decode="keyframes", epoch=NOON)
    assert Order.decoded(order.encode()) == order
    assert "s3cret" not in repr(order)
    notice = FrameNotice(1, 2**21, 4096, 2160, 3, NOON + timedelta(microseconds=1))
    assert FrameNotice.decoded(notice.encode()) == notice


def test_messages_keep_their_bounds_and_bring_descriptors() -> None:
    ours, theirs = socket.socketpair()
    sender, receiver = Channel(ours), Channel(theirs)
    large = os.urandom(3 * 2**20)
    read, write = os.pipe()
    expected = [(1, 1, b""), (11, 2, large), (1, 3, b"order"), (16, 0, b"{}")]

    def send() -> None:
        sender.send(Kind.OPEN, 1)
        sender.send(Kind.PACKET, 2, large[:10], large[10:])
        sender.send(Kind.OPEN, 3, b"order", descriptor=write)
        sender.send(Kind.BEAT, 0, b"{}")
        sender.close()

    thread = threading.Thread(target=send)
    thread.start()
    assert [receiver.receive() for _ in expected] == expected
    os.write(receiver.descriptor(), b"!")
    assert os.read(read, 1) == b"!"
    assert receiver.receive() is None
    thread.join()


def test_what_is_no_message_is_refused() -> None:
    ours, theirs = socket.socketpair()
    ours.sendall(HEADER.pack(LONGEST + 1, Kind.PACKET, 1))
    with pytest.raises(ValueError, match="too long"):
        Channel(theirs).receive()

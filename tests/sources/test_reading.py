from __future__ import annotations

import socket
from datetime import UTC, datetime
from fractions import Fraction

from pipeline.readers.failure import Failure
from pipeline.readers.messages import Channel, Kind, Order, encode_packet, encode_stream
from pipeline.readers.packets import MediaPacket, StreamInfo
from pipeline.sources.reading import Reading

NOON = datetime(2024, 1, 31, 12, tzinfo=UTC)
INFO = StreamInfo("h264", 640, 360, "yuv420p", Fraction(1, 90_000), None, b"")


def test_packets_that_nobody_takes_are_bounded_and_go_on_with_a_key_frame() -> None:
    ours, theirs = socket.socketpair()
    opened: list[bool] = []
    order = Order("gate", "rtsp://10.0.0.1/", memory=8 * 2**20)
    reading = Reading(1, order, Channel(ours), lambda: opened.append(True))
    reading.receive(Kind.STREAM, encode_stream(0, INFO, NOON))
    data = bytes(2**20)

    def receive(count: int) -> None:
        for number in range(count):
            packet = MediaPacket(INFO, NOON, number, None, None, number % 10 == 0, data)
            reading.receive(Kind.PACKET, encode_packet(0, packet) + data)

    receive(100)
    assert opened == [True]
    assert reading.waiting == order.memory
    assert reading.lost == 100 - 8
    taken = [item for _ in range(100 - reading.lost) if isinstance(item := reading.next_item(0), MediaPacket)]
    assert [packet.pts for packet in taken] == list(range(len(taken)))
    assert reading.next_item(0) is None
    receive(1)
    item = reading.next_item(0)
    assert isinstance(item, MediaPacket) and item.is_keyframe
    reading.beat([(90, 1), (80, 2)], 7)
    assert (reading.damaged, reading.late) == (3, 7)
    reading.abandon()
    assert isinstance(reading.next_item(0), Failure)
    reading.close()
    theirs.close()

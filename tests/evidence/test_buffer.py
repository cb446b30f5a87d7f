from __future__ import annotations

import threading
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pipeline.evidence import PacketBuffer

from .makers import STREAM, at, packet


def filled(buffer: PacketBuffer, seconds: int, gop: float = 1.0) -> PacketBuffer:
    for number in range(seconds * 10):
        buffer.append(packet(number / 10, key=number % round(gop * 10) == 0))
    return buffer


def test_between_begins_at_the_key_frame_before() -> None:
    found = filled(PacketBuffer(60), 10).between(at(3.5), at(5.25))
    assert found[0].time == at(3)
    assert found[0].is_keyframe
    assert found[-1].time == at(5.2)


def test_between_gives_what_there_is() -> None:
    buffer = filled(PacketBuffer(60), 3)
    assert [buffer.between(at(-5), at(0.1))[0].time, buffer.between(at(-5), at(0.1))[-1].time] == [at(0), at(0.1)]
    assert buffer.between(at(1), at(99))[-1].time == at(2.9)
    assert buffer.between(at(-5), at(-1)) == []
    assert PacketBuffer(1).between(at(0), at(9)) == []


def test_reordered_packets_are_cut_in_decoding_order() -> None:
    buffer = PacketBuffer(60)
    shown = [0, 0.3, 0.1, 0.2, 0.6, 0.4, 0.5]
    for number, seconds in enumerate(shown):
        buffer.append(packet(seconds, key=number == 0))
    assert [one.time for one in buffer.between(at(0), at(0.2))] == [at(0), at(0.3), at(0.1), at(0.2)]


def test_only_analysis_lets_packets_go_and_only_whole_groups() -> None:
    buffer = filled(PacketBuffer(2.5), 10)
    assert buffer.between(at(0), at(10))[0].time == at(0)
    buffer.advance(at(6))
    assert buffer.between(at(0), at(10))[0].time == at(3)
    buffer.advance(at(9), needed=at(4.2))
    assert buffer.between(at(0), at(10))[0].time == at(4)


def test_nothing_before_the_first_key_frame_is_kept() -> None:
    buffer = PacketBuffer(60)
    for number in range(5):
        buffer.append(packet(number / 10))
    assert buffer.bytes == 0
    buffer.append(packet(1, key=True))
    assert len(buffer.between(at(0), at(9))) == 1


def test_a_changed_stream_is_kept_from_its_first_key_frame() -> None:
    buffer, other = filled(PacketBuffer(60), 1), replace(STREAM, width=320)
    buffer.append(packet(1, stream=other))
    buffer.append(packet(1.1, key=True, stream=other))
    buffer.append(packet(1.2, stream=other))
    assert [one.time for one in buffer.between(at(0), at(9)) if one.stream is other] == [at(1.1), at(1.2)]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 400)), max_size=80), st.integers(1, 1000))
def test_memory_is_bounded_whatever_comes(packets: list[tuple[bool, int]], limit: int) -> None:
    buffer = PacketBuffer(1e6, limit)
    for number, (key, size) in enumerate(packets):
        buffer.append(packet(number, key=key, size=size))
        kept = buffer.between(at(-1), at(1000))
        assert buffer.bytes == sum(len(one.data) for one in kept) <= limit
        assert not kept or kept[0].is_keyframe


def test_reader_and_analysis_may_be_two_threads() -> None:
    buffer = PacketBuffer(1)
    reader = threading.Thread(target=filled, args=(buffer, 60))
    reader.start()
    while reader.is_alive():
        kept = buffer.between(at(0), at(100))
        assert not kept or kept[0].is_keyframe
        if kept:
            buffer.advance(kept[-1].time)
    assert buffer.between(at(0), at(100))[-1].time == at(59.9)

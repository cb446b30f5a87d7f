from __future__ import annotations

import gc
from collections import deque
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sources.packet_memory import BLOCK, PacketMemory


@given(st.lists(st.integers(0, 3 * BLOCK // 2).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, 255)))))
def test_packets_stay_as_they_were_beside_each_other(packets: list[tuple[int, int]]) -> None:
    memory = PacketMemory()
    kept = [memory.keep(memoryview(bytes([value]) * size)) for size, value in packets]
    for data, (size, value) in zip(kept, packets, strict=True):
        assert data == bytes([value]) * size


def test_nobody_can_change_a_packet() -> None:
    data = PacketMemory().keep(memoryview(b"as the camera sent it"))
    with pytest.raises(TypeError):
        data[0] = 0
    assert data == b"as the camera sent it"


def test_what_nobody_holds_is_given_back() -> None:
    memory, held = PacketMemory(), deque[memoryview](maxlen=100)

    def resident() -> int:
        gc.collect()
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    def receive(count: int) -> None:
        for _ in range(count):
            held.append(memory.keep(memoryview(bytes(10_000))))

    receive(200)
    before = resident()
    receive(20_000)  # 200 MB have come, of which 1 MB is held
    assert resident() - before < 20_000_000

from __future__ import annotations

import subprocess
import sys

import pytest

FRAMES_AND_WHAT_OUTLIVES_THEM = """
import sys
from pathlib import Path
from pipeline.allocator import return_large_blocks

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

if sys.argv[1] == "set":
    return_large_blocks()
large = bytearray(30 << 20)
del large  # from here on glibc, left alone, takes blocks of up to this size from the heap
before, frames, small = resident(), [], []
for _ in range(50):
    frames.append(bytearray(b"x") * (3 << 20))
    small.append(bytearray(b"y") * 50_000)
full = resident()
frames.clear()
print(full - before, resident() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc; the setting is glibc's")
def test_frames_go_back_to_the_system_though_small_blocks_between_them_stay() -> None:
    def grown(setting: str) -> tuple[int, int]:
        command = [sys.executable, "-c", FRAMES_AND_WHAT_OUTLIVES_THEM, setting]
        full, after = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        return int(full), int(after)

    assert min(grown("set")[0], grown("unset")[0]) > 140e6
    assert grown("set")[1] < 15e6
    assert grown("unset")[1] > 100e6, "left alone the allocator keeps them, so the setting is what gave them back"


PACKETS_AND_WHAT_OUTLIVES_THEM = """
from pathlib import Path
from pipeline.allocator import return_free_pages, return_large_blocks

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

return_large_blocks()
before, packets, small = resident(), [], []
for _ in range(2000):
    packets.append(bytearray(b"x") * 50_000)
    small.append(bytearray(b"y") * 600)
packets.clear()
held = resident()
return_free_pages()
print(held - before, resident() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc; the heaps are glibc's")
def test_holes_in_the_heap_go_back_to_the_system() -> None:
    command = [sys.executable, "-c", PACKETS_AND_WHAT_OUTLIVES_THEM]
    held, after = map(int, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
    assert held > 90e6, "without it they stay"
    assert after < 20e6

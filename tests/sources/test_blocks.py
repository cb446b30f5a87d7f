from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sources.blocks import Blocks

FRAME = 1280 * 720 * 3


def address(array: np.ndarray) -> int:
    return int(array.ctypes.data)


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@given(st.lists(st.integers(0, 3_000_000), max_size=20))
def test_each_has_as_much_as_it_asked_for_to_itself(sizes: list[int]) -> None:
    blocks = Blocks()
    taken = [blocks.take(size) for size in sizes]
    for value, array in enumerate(taken):
        array[:] = value
    assert [array.size for array in taken] == sizes
    assert all((array == value).all() for value, array in enumerate(taken))


def test_a_block_is_used_again_when_no_view_of_it_is_left() -> None:
    blocks = Blocks()
    array = blocks.take(FRAME)
    first, corner = address(array), array.reshape(720, 1280, 3)[:10, :10]
    part = memoryview(array)[5:]
    for held in (array, corner, part):
        assert address(blocks.take(FRAME)) != first, held
        del held
    del array
    assert address(blocks.take(FRAME)) != first
    del corner
    assert address(blocks.take(FRAME)) != first
    del part
    assert address(blocks.take(FRAME)) == first


def test_pictures_of_nearly_the_same_size_share() -> None:
    blocks = Blocks()
    first = address(blocks.take(FRAME))
    assert address(blocks.take(FRAME - 50_000)) == first
    assert address(blocks.take(FRAME // 2)) != first


def test_what_a_program_takes_is_what_it_needs_at_once() -> None:
    blocks = Blocks()

    def fill(count: int) -> None:
        held = [blocks.take(FRAME) for _ in range(count)]
        for array in held:
            array[:] = 1

    fill(30)
    before = resident()
    for count in (1, 30, 7, 29, 30):
        fill(count)
        assert abs(resident() - before) < 2_000_000


def test_what_nobody_needed_for_long_goes_back_to_the_system() -> None:
    blocks = Blocks(keep=0)
    before = resident()
    held = [blocks.take(FRAME) for _ in range(30)]
    for array in held:
        array[:] = 1
    assert resident() - before > 29 * FRAME
    del held, array
    for _ in range(3):
        blocks.take(FRAME)[:] = 1
    assert resident() - before < 3 * FRAME


def test_threads_never_have_the_same_block_at_once() -> None:
    blocks = Blocks(keep=0.001)

    def work(value: int) -> bool:
        chance, held, whole = random.Random(value), [], True  # noqa: S311
        for _ in range(400):
            array = blocks.take(chance.choice([70_000, 300_000]))
            array[:] = value
            held.append(array)
            del held[: chance.randrange(3) if len(held) > 5 else 0]
            whole = whole and all((each == value).all() for each in held)
        return whole

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(work, range(1, 5))) == [True] * 4

"""Memory of the processes of a program, watched from outside."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

EVERY_SECONDS = 5.0
WRITTEN = ("Pss_Anon:", "Pss_Shmem:", "SwapPss:")


@dataclass(frozen=True, slots=True)
class ProcessMemory:
    """Bytes that a process has written, and how many sockets it has open: a reader has one for each of its cameras."""

    process: int
    sockets: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Sample:
    """Memory of the program at a Unix time: its main process and the `others`; `life` counts the program's starts.

    `video` is how many bytes of the main process are the last seconds of each camera's video, and what open cases need
    of it: that goes up and down with what is to be seen, and has a bound of its own (`evidence.memory`).
    """

    time: float
    life: int
    main: ProcessMemory
    others: tuple[ProcessMemory, ...]
    video: int

    @property
    def bytes(self) -> int:
        return self.main.bytes + sum(other.bytes for other in self.others)


def process_tree(root: int) -> list[int]:
    """The process and all that descend from it."""
    found, waiting = [], [root]
    while waiting:
        process = waiting.pop()
        found.append(process)
        for listing in Path(f"/proc/{process}/task").glob("*/children"):
            try:
                waiting += [int(child) for child in listing.read_text().split()]
            except OSError:
                continue  # the thread has just ended
    return found


def own_bytes(process: int) -> int:
    """Memory that the process wrote, in RAM or swapped out, each shared page divided among those that share it.

    0 for a process that is gone. Pages of files, such as the code of libraries, do not count: the system drops them as
    it likes, and the share of each process in them falls when any other program loads the same library.
    """
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(WRITTEN))


def open_sockets(process: int) -> int:
    """The number of its open sockets, 0 for a process that is gone."""
    count = 0
    try:
        for descriptor in Path(f"/proc/{process}/fd").iterdir():
            with suppress(OSError):  # closed meanwhile
                count += str(descriptor.readlink()).startswith("socket:")
    except OSError:
        return 0
    return count


class MemoryWatch:
    """Samples the tree of a process that `current` names, with the number of its life, until stopped. `video` asks it
    for how much video it holds; while it gives no answer, there is no sample."""

    def __init__(self, current: Callable[[], tuple[int, int] | None], video: Callable[[], int | None]) -> None:
        self.samples: list[Sample] = []
        self._current = current
        self._video = video
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory-watch", daemon=True)

    def __enter__(self) -> MemoryWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._done.wait(EVERY_SECONDS):
            if (current := self._current()) is not None and (video := self._video()) is not None:
                root, life = current
                tree = [ProcessMemory(each, open_sockets(each), own_bytes(each)) for each in process_tree(root)]
                if tree[0].bytes:
                    others = tuple(each for each in tree[1:] if each.bytes)
                    self.samples.append(Sample(time.time(), life, tree[0], others, video))

"""Small writes of many threads at once, in one transaction.

Every look at a case is written down before it is answered, and writers take turns: alone, each would wait for all those
before it to reach the disk. So whoever comes while another writes is gathered, and one of them writes for all.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pipeline.errors import QueryError

Item = TypeVar("Item")
Write = Callable[[Sequence[Item]], None]


@dataclass(slots=True, eq=False)
class Entry(Generic[Item]):
    """An item on its way; `error` is what kept it from being written."""

    item: Item
    done: bool = False
    error: BaseException | None = None


class Gathering(Generic[Item]):
    """Items of many threads: `put` returns once its own is written."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[Entry[Item]] = []
        self._writing = False

    def put(self, item: Item, write: Write[Item]) -> None:
        """Write this item by `write`, with others or alone, in this thread or another; raises what `write` raised."""
        self.settle(self.add(item), write)

    def add(self, item: Item) -> Entry[Item]:
        """Let the item be written by whoever settles next."""
        entry = Entry(item)
        with self._changed:
            self._waiting.append(entry)
        return entry

    def settle(self, entry: Entry[Item], write: Write[Item]) -> None:
        """Return when the entry is written: by another thread, or here with all that wait. Raises what `write` raised;
        an item that the database does not take (QueryError) keeps no other from being written."""
        with self._changed:
            self._changed.wait_for(lambda: entry.done or not self._writing)
            if not entry.done:
                self._writing = True
                together, self._waiting = self._waiting, []
        if not entry.done:
            try:
                _write(together, write)
            finally:
                with self._changed:
                    self._writing = False
                    self._changed.notify_all()
        if entry.error is not None:
            raise entry.error


def _write(entries: Sequence[Entry[Item]], write: Write[Item]) -> None:
    try:
        write([entry.item for entry in entries])
    except QueryError as error:
        if len(entries) > 1:
            for entry in entries:
                _write([entry], write)
            return
        entries[0].error = error
    except BaseException as error:  # told to each thread that waits for it
        for entry in entries:
            entry.error = error
    for entry in entries:
        entry.done = True

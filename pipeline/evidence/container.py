"""ZIP files whose every byte follows from the names and contents in them, so that any change to one shows.

Stored, without times, in the order given: nothing in the format is left to choose (APPNOTE.TXT 6.3, without ZIP64).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import EvidenceError

CHUNK = 1 << 20
LARGEST = 2**32 - 1
MOST = 2**16 - 1
FIRST_DAY = 33  # 1980-01-01, the earliest that the format knows
PLAIN_FILE = 0o100644 << 16

LOCAL = struct.Struct("<4s5H3L2H")
CENTRAL = struct.Struct("<4s6H3L5H2L")
END = struct.Struct("<4s4H2LH")


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: its name in ASCII, its size in bytes and its CRC-32."""

    name: str
    size: int
    crc: int


def describe(name: str, content: Iterator[bytes]) -> Entry:
    """The entry of a file with this content."""
    size = crc = 0
    for chunk in content:
        size += len(chunk)
        crc = zlib.crc32(chunk, crc)
    return Entry(name, size, crc)


def chunks(path: Path) -> Iterator[bytes]:
    """A file, at most CHUNK bytes at a time."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def size_of(entries: Sequence[Entry]) -> int:
    """The size of the ZIP file. Raises EvidenceError when it is more than the format holds."""
    size = sum(LOCAL.size + CENTRAL.size + 2 * len(entry.name) + entry.size for entry in entries) + END.size
    if size > LARGEST or len(entries) > MOST:
        raise EvidenceError("the case does not fit into one ZIP file of 4 GiB")
    return size


def pack(entries: Sequence[Entry], content: Callable[[Entry], Iterator[bytes]]) -> Iterator[bytes]:
    """The ZIP file, piece by piece. Raises EvidenceError when a content is not the one described."""
    for header, entry in _pieces(entries):
        yield header
        if entry is not None:
            size = crc = 0
            for chunk in content(entry):
                size, crc = size + len(chunk), zlib.crc32(chunk, crc)
                yield chunk
            if (size, crc) != (entry.size, entry.crc):
                raise EvidenceError(f"{entry.name}: was changed while it was packed")


def first_difference(file: BinaryIO, entries: Sequence[Entry]) -> int | None:
    """Where a ZIP file first differs from what `pack` makes of these entries, contents left aside; None when it
    does not."""
    offset = 0
    for header, entry in _pieces(entries):
        file.seek(offset)
        found = file.read(len(header))
        if found != header:
            same = next(
                (place for place, pair in enumerate(zip(found, header, strict=False)) if pair[0] != pair[1]), len(found)
            )
            return offset + same
        offset += len(header) + (entry.size if entry else 0)
    file.seek(offset)
    return offset if file.read(1) else None


def _pieces(entries: Sequence[Entry]) -> Iterator[tuple[bytes, Entry | None]]:
    """What stands in the file besides the contents, each piece with the entry whose content follows it."""
    offset, offsets = 0, []
    for entry in entries:
        offsets.append(offset)
        header = LOCAL.pack(b"PK\3\4", *_common(entry)) + entry.name.encode("ascii")
        offset += len(header) + entry.size
        yield header, entry
    directory = b"".join(
        CENTRAL.pack(b"PK\1\2", 3 << 8 | 20, *_common(entry), 0, 0, 0, PLAIN_FILE, start) + entry.name.encode("ascii")
        for entry, start in zip(entries, offsets, strict=True)
    )
    yield directory + END.pack(b"PK\5\6", 0, 0, len(entries), len(entries), len(directory), offset, 0), None


def _common(entry: Entry) -> tuple[int, ...]:
    return 20, 0, 0, 0, FIRST_DAY, entry.crc, entry.size, entry.size, len(entry.name), 0

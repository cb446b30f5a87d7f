"""Files that are made for one answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, TypeVar
from urllib.parse import quote

from fastapi.responses import StreamingResponse

CHUNK = 256 * 1024
Made = TypeVar("Made")


def download(make: Callable[[Path], Made], name: str, media_type: str) -> tuple[StreamingResponse, Made]:
    """What `make` writes at the path that it is given, as an answer under this name, and what it gives back.

    The file has left its folder before the first byte is sent, so that nothing is left of it however that ends; and
    it is whole, so that its reader never takes a part for all of it.
    """
    with TemporaryDirectory(prefix="matthan-") as folder:
        path = Path(folder, "file")
        made = make(path)
        file = path.open("rb")
        size = path.stat().st_size
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
        "Content-Length": str(size),
    }
    return StreamingResponse(_chunks(file), media_type=media_type, headers=headers), made


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK):
            yield chunk

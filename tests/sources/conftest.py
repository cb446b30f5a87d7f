from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipeline.sources import ReaderPool

from ..servers.rtsp import rtsp_server

__all__ = ["rtsp_server"]


@pytest.fixture(scope="module")
def readers() -> Iterator[ReaderPool]:
    """Reader processes, shared by the tests of a module."""
    with ReaderPool() as pool:
        yield pool

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pipeline.store import Repository


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database; every test that uses it runs on both kinds."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'data' / 'matthan.db'}"
    server: str = request.getfixturevalue("postgres")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")  # much faster than a database for each test
        connection.execute("CREATE SCHEMA public")
    return server


@pytest.fixture
def repository(url: str) -> Iterator[Repository]:
    with Repository.open(url) as opened:
        yield opened

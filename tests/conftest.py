"""Fixtures for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.postgres import postgres, postgres_without_trigrams

__all__ = ["postgres", "postgres_without_trigrams"]

SHARED_DATA = Path(__file__).parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real footage with ground truth; it is not part of the project."""
    if not SHARED_DATA.is_dir():
        pytest.skip("needs the evaluation data in ../shared/data, which is not part of the project")
    return SHARED_DATA

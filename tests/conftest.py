"""Fixtures for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from playwright.sync_api import Browser

from pipeline.store import alterations
from tests.api import chromium
from tests.servers.postgres import postgres, postgres_without_trigrams

__all__ = ["postgres", "postgres_without_trigrams"]

# What a change breaks, it breaks each time; how long an example takes, a busy machine decides.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None)  # `--hypothesis-profile search` looks for new examples
settings.load_profile("steady")

SHARED_DATA = Path(__file__).parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real footage with ground truth; it is not part of the project."""
    if not SHARED_DATA.is_dir():
        pytest.skip("needs the evaluation data in ../shared/data, which is not part of the project")
    return SHARED_DATA


@pytest.fixture(autouse=True)
def nobody_accused(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever a test does with the program: that rows were changed past it is said in none but those that do so."""
    if request.node.get_closest_marker("tampers"):
        yield
        return
    accused: list[object] = []
    append = alterations.append

    def noted(connection: Any, contents: Any, signer: Any) -> None:
        accused.extend(contents)
        append(connection, contents, signer)

    monkeypatch.setattr(alterations, "append", noted)
    yield
    assert accused == []


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; closed with the module, since its event loop runs in the main thread until then."""
    if chromium.find() is None:
        pytest.skip(chromium.HOW)
    with chromium.opened() as opened:
        yield opened

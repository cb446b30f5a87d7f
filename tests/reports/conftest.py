from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta

import pytest

from pipeline.review import RejectionReason, State
from pipeline.store import Repository

from .makers import CAMERAS, NOON, Case, name_cameras, store


@pytest.fixture(scope="package")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Repository, list[Case]]]:
    """Some hundred cases of four months at four cameras; tests only look at them."""
    chance = random.Random(0)  # noqa: S311
    cases = []
    for _ in range(600):
        state = chance.choice(list(State))
        cases.append(
            Case(
                camera=chance.choice(list(CAMERAS)),
                kind=chance.choice(["wrong_way", "crowd", "fire"]),
                start=NOON + timedelta(minutes=chance.randrange(120 * 24 * 60)),
                state=state,
                reason=chance.choice(list(RejectionReason)) if state is State.REJECTED else "",
            )
        )
    with Repository.open(f"sqlite:///{tmp_path_factory.mktemp('city') / 'matthan.db'}") as repository:
        name_cameras(repository)
        yield repository, store(repository, cases)

"""How inference is shared out on a machine."""

from __future__ import annotations

import os

import pytest

from pipeline.config import InferenceConfig
from pipeline.networks import Calls, share_cores


@pytest.fixture
def six_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: range(6), raising=False)


@pytest.mark.parametrize(
    ("asked", "lasting", "calls"),
    [
        (InferenceConfig(), True, Calls(1, workers=6, frames=2)),
        (InferenceConfig(), False, Calls(1, workers=6, frames=4)),
        (InferenceConfig(threads=2), True, Calls(2, workers=3, frames=2)),
        (InferenceConfig(threads=8), True, Calls(8, workers=1, frames=2)),
        (InferenceConfig(provider="cuda"), True, Calls(0, workers=2, frames=4)),
    ],
)
def test_each_call_has_its_cores_and_few_frames(
    six_cores: None, asked: InferenceConfig, lasting: bool, calls: Calls
) -> None:
    assert share_cores(asked, lasting=lasting) == calls

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
    ("asked", "calls"),
    [
        (InferenceConfig(), Calls(1, workers=6)),
        (InferenceConfig(threads=2), Calls(2, workers=3)),
        (InferenceConfig(threads=8), Calls(8, workers=1)),
        (InferenceConfig(provider="cuda"), Calls(0, workers=2)),
    ],
)
def test_each_call_has_its_cores(six_cores: None, asked: InferenceConfig, calls: Calls) -> None:
    assert share_cores(asked) == calls

"""The program under test, asked from outside."""

from __future__ import annotations

import socket
from pathlib import Path

from pipeline.metrics import Metrics
from pipeline.monitor import Health, Pages, serving
from pipeline.soak.program import Program


def test_the_program_is_asked_for_the_video_it_keeps(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    program = Program(tmp_path / "streams.yaml", tmp_path / "data", tmp_path / "log", port)
    assert program.video() is None  # nobody answers
    metrics = Metrics()
    for camera, held in (("gate", 3_000_000), ("square", 1_500_000)):
        metrics.evidence_bytes.labels(camera).set(held)
    well = Health(True, {})
    with serving("127.0.0.1", port, Pages(metrics.registry, lambda: well, lambda: well, dict)):
        assert program.video() == 4_500_000

"""What commands do with signals, in processes that really get them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from time import monotonic

import pytest

from pipeline.cli.terminal import reload_on_signal

ROOT = Path(__file__).parents[1]

HUNG = """
import threading
from pipeline.cli.terminal import stop_on_signal

released = threading.Event()
with stop_on_signal(0.5) as stop:
    threading.Thread(target=released.wait).start()  # Python waits for it at the end
    print("ready", flush=True)
    stop.wait()
"""


def test_a_stop_that_hangs_ends_in_time():
    process = subprocess.Popen(
        [sys.executable, "-c", HUNG], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        began = monotonic()
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=20)
    finally:
        process.kill()
    assert monotonic() - began >= 0.5
    assert process.returncode == 1
    assert "the next start completes what was begun" in told


def test_a_stop_that_is_hopeless_says_why_and_ends_at_once():
    hopeless = HUNG.replace("(0.5)", "(60)").replace("    print", "    stop.hopeless = lambda: 'no disk'\n    print")
    process = subprocess.Popen(
        [sys.executable, "-c", hopeless], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 1
    assert "no disk: ended as by a kill; the next start completes what was begun" in told


@pytest.mark.skipif(threading.current_thread() is not threading.main_thread(), reason="signals reach the main thread")
def test_a_reload_that_is_asked_for_too_early_is_done_later():
    done = []
    with reload_on_signal() as reload:
        os.kill(os.getpid(), signal.SIGHUP)
        assert done == []
        reload.by(lambda: done.append(1))
        assert done == [1]
        os.kill(os.getpid(), signal.SIGHUP)
        assert done == [1, 1]

"""What a tree of processes takes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from pipeline.soak.memory import MemoryWatch, open_sockets, own_bytes, process_tree


def test_a_tree_of_processes_is_measured_whole():
    code = "import subprocess, sys; data = bytearray(30_000_000); subprocess.run([sys.executable, '-c', 'input()'])"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 20
        sizes: list[int] = []
        while not (len(sizes) == 2 and sizes[0] > 30_000_000 > sizes[1] > 0):  # a new process shares its parent's
            assert time.monotonic() < deadline, sizes
            time.sleep(0.02)
            sizes = [own_bytes(each) for each in process_tree(process.pid)]
    finally:
        process.communicate(b"\n")
    assert own_bytes(process.pid) == 0


def test_pages_of_files_are_not_the_programs_memory(tmp_path):
    file = tmp_path / "library"
    file.write_bytes(bytes(50_000_000))
    code = (
        f"import mmap; file = open({str(file)!r}, 'rb'); whole = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ);"
        "whole[:]; print('read', flush=True); input()"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"read\n"
        mapped = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
        assert int(mapped.split("Rss:")[1].split()[0]) * 1024 > 50_000_000 > own_bytes(process.pid) > 0
    finally:
        process.communicate(b"\n")


def test_sockets_are_counted_and_files_are_not(tmp_path):
    before = open_sockets(os.getpid())
    with socket.socket(), socket.socket(), (tmp_path / "file").open("w"):
        assert open_sockets(os.getpid()) == before + 2
    assert open_sockets(os.getpid()) == before


def test_each_process_is_watched_by_itself(monkeypatch):
    monkeypatch.setattr("pipeline.soak.memory.EVERY_SECONDS", 0.05)
    code = "import subprocess, sys; data = bytearray(30_000_000); subprocess.run([sys.executable, '-c', 'input()'])"
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    try:
        with MemoryWatch(lambda: (process.pid, 3), lambda: 5_000_000) as watch:
            deadline = time.monotonic() + 20
            while not (watch.samples and watch.samples[-1].others):
                assert time.monotonic() < deadline
                time.sleep(0.02)
    finally:
        process.communicate(b"\n")
    last = watch.samples[-1]
    assert (last.life, last.main.process, len(last.others)) == (3, process.pid, 1)
    assert last.main.bytes > 30_000_000 > last.others[0].bytes > 0
    assert last.video == 5_000_000


def test_a_program_that_does_not_answer_is_not_measured(monkeypatch):
    monkeypatch.setattr("pipeline.soak.memory.EVERY_SECONDS", 0.01)
    asked = threading.Event()
    with MemoryWatch(lambda: (os.getpid(), 1), asked.set) as watch:
        assert asked.wait(20)
    assert watch.samples == []

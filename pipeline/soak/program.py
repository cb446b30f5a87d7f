"""The program under test: `matthan run` as a process, started, killed and stopped as a service manager would."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from pipeline.soak.memory import process_tree

READER = "pipeline.readers"
VIDEO = "matthan_evidence_memory_bytes"
COMMAND = "from pipeline.cli import main; main()"


@dataclass(slots=True)
class Program:
    """`matthan run STREAMS --data DATA`; what it prints goes to `log`, and it tells how it is on the port `metrics`.
    `ended_alone` lists unasked-for ends."""

    streams: Path
    data: Path
    log: Path
    metrics: int
    starts: list[float] = field(default_factory=list)
    ended_alone: list[str] = field(default_factory=list)
    _process: subprocess.Popen[bytes] | None = None
    _sessions: set[int] = field(default_factory=set)

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-c", COMMAND, "run", str(self.streams), "--data", str(self.data)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._sessions.add(self._process.pid)
        self.starts.append(time.time())

    @property
    def current(self) -> tuple[int, int] | None:
        """Process id and number of the life; None while it does not run."""
        process = self._process
        return (process.pid, len(self.starts)) if process is not None and process.poll() is None else None

    def revive(self) -> bool:
        """Start it again if it ended without being asked to; whether it had."""
        process = self._process
        if process is None or process.poll() is None:
            return False
        self.ended_alone.append(f"{time.strftime('%H:%M:%S')} with {process.returncode}")
        self.start()
        return True

    def video(self) -> int | None:
        """Bytes of video that it says it keeps for clips; None while it gives no answer."""
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.metrics}/metrics", timeout=3, trust_env=False)
            families = list(text_string_to_metric_families(answer.raise_for_status().text))
        except (httpx.HTTPError, ValueError):
            return None
        kept = [sample.value for family in families if family.name == VIDEO for sample in family.samples]
        return round(sum(kept))

    def readers(self) -> list[int]:
        """The processes that read cameras."""
        if self.current is None:
            return []
        main, *children = process_tree(self.current[0])
        return [child for child in children if main != child and READER in _command_line(child)]

    def kill(self, *, everything: bool) -> None:
        """SIGKILL to the main process, or at once to all that belong to it."""
        process = self._process
        assert process is not None  # noqa: S101 - started
        if everything:
            for each in process_tree(process.pid):
                with suppress(ProcessLookupError):
                    os.kill(each, signal.SIGKILL)
        process.kill()
        process.wait()
        self._process = None

    def close(self) -> None:
        """Leave nothing running, whatever happened."""
        if self.current is not None:
            self.kill(everything=True)

    def left_behind(self) -> list[int]:
        """Processes of the program's ended lives that outlived them."""
        current = self._process.pid if self._process is not None else 0
        found = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
        return [each for each in found if (session := _session(each)) in self._sessions and session != current]

    def stop(self, limit: float = 60.0) -> tuple[float, int | None]:
        """SIGTERM; the seconds it took to end and its exit status, None when it had to be killed."""
        process = self._process
        assert process is not None  # noqa: S101 - started
        began = time.monotonic()
        process.terminate()
        try:
            status: int | None = process.wait(limit)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            status = None
        self._process = None
        return time.monotonic() - began, status


def _command_line(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _session(process: int) -> int:
    try:
        # the name in field 2 may hold spaces and ends at the last bracket
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[3])
    except (OSError, IndexError):
        return 0

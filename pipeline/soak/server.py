"""A GStreamer RTSP server as a process of its own, to be killed, held up and told to misbehave."""

from __future__ import annotations

import json
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pipeline.errors import MatThanError
from pipeline.soak.films import write_film

PYTHON = "/usr/bin/python3"
"""The system's: Debian's `gi` is built for it alone."""

SCRIPT = Path(__file__).with_name("rtsp_server.py")
PACKAGES = (
    "python3-gi",
    "gir1.2-gst-rtsp-server-1.0",
    "gstreamer1.0-plugins-base",
    "gstreamer1.0-plugins-good",
    "gstreamer1.0-plugins-bad",
)
PROBE = (
    "import gi; gi.require_version('Gst', '1.0'); gi.require_version('GstRtspServer', '1.0');"
    "from gi.repository import Gst, GstRtspServer; Gst.init(None);"
    "assert all(Gst.ElementFactory.find(name) for name in ('appsrc', 'h264parse', 'h265parse', 'rtph264pay'))"
)


@dataclass(frozen=True, slots=True)
class Play:
    """A client's request to play a mount; `time` is Unix time."""

    mount: str
    time: float


class RtspServer:
    """A server that can be killed and started again on the same port.

    `mounts` gives each path a clip, or several of the same length between which `switch` chooses. `epoch`, Unix
    time, is as in the server's script; the film of a mount began `phases` seconds after it. It plays when made.
    """

    def __init__(
        self,
        mounts: Mapping[str, Path | Sequence[Path]],
        *,
        user: str | None = None,
        password: str = "",
        epoch: float | None = None,
        phases: Mapping[str, float] | None = None,
    ) -> None:
        self.port = 0
        self.plays: list[Play] = []
        self._films = tempfile.TemporaryDirectory(prefix="films-")
        self._arguments = []
        written: dict[Path, Path] = {}
        for name, clips in mounts.items():
            for clip in (clips := [clips] if isinstance(clips, Path) else clips):
                if clip not in written:
                    written[clip] = write_film(clip, Path(self._films.name) / f"{len(written)}.json")
            self._arguments.append(f"--mount={name}={','.join(str(written[clip]) for clip in clips)}")
        if user is not None:
            self._arguments += [f"--user={user}", f"--password={password}"]
        if epoch is not None:
            self._arguments.append(f"--epoch={epoch!r}")
        self._arguments += [f"--phase={mount}={seconds!r}" for mount, seconds in (phases or {}).items()]
        self._process: subprocess.Popen[str] | None = None
        self.start()

    @property
    def pid(self) -> int:
        assert self._process is not None  # noqa: S101 - started
        return self._process.pid

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Raises MatThanError when it does not come up."""
        command = [PYTHON, str(SCRIPT), f"--port={self.port}", *self._arguments]
        process = subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a Ctrl-C is for whoever started it, who will end it
        )
        assert process.stdout is not None  # noqa: S101 - a pipe
        line = process.stdout.readline()
        if not line.strip().isdigit():
            process.kill()
            process.communicate()
            raise MatThanError(f"the RTSP server did not start on port {self.port or 'any'}: {line.strip()}")
        self.port = int(line)
        self._process = process
        threading.Thread(target=self._listen, args=(process.stdout,), name="rtsp-server", daemon=True).start()

    def kill(self) -> None:
        """As if the power had gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            self._process = None

    def forget(self) -> None:
        """Remove what was written for the server."""
        self._films.cleanup()

    def pause(self) -> None:
        """Hang: connections stay and new ones are taken, nothing is sent or answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def switch(self, mount: str, film: int) -> None:
        """Send another of the mount's clips."""
        self._say(f"film {mount} {film}")

    def freeze(self, mount: str, on: bool) -> None:
        """Send the same picture again and again."""
        self._say(f"freeze {mount} {'on' if on else 'off'}")

    def garble(self, mount: str, on: bool) -> None:
        """Send noise in place of pictures."""
        self._say(f"garble {mount} {'on' if on else 'off'}")

    def url(self, mount: str, login: str = "") -> str:
        return f"rtsp://{login}{'@' if login else ''}127.0.0.1:{self.port}{mount}"

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None  # noqa: S101 - started
        self._process.send_signal(number)

    def _say(self, line: str) -> None:
        assert self._process is not None and self._process.stdin is not None  # noqa: S101 - started
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def _listen(self, lines: IO[str]) -> None:
        try:
            for line in lines:
                self.plays.append(Play(**json.loads(line)))
        except ValueError:
            return  # cut short by a kill, or closed


def gstreamer_works() -> bool:
    """Whether the system's Python has the server's parts."""
    if not Path(PYTHON).exists():
        return False
    return subprocess.run([PYTHON, "-c", PROBE], check=False, capture_output=True).returncode == 0  # noqa: S603


def need_gstreamer() -> None:
    """Raises MatThanError, with the Debian packages to install, where the server cannot run."""
    if not gstreamer_works():
        raise MatThanError(f"this needs the GStreamer RTSP server: apt-get install {' '.join(PACKAGES)}")

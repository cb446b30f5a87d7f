"""A GStreamer RTSP server as a fixture.

In a conftest: `from tests.servers.rtsp import rtsp_server`. A test then calls
`server = rtsp_server({"/gate": path_of_clip}, user=..., password=...)` and reads `server.url("/gate")`.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Protocol

import av
import pytest

PYTHON = "/usr/bin/python3"
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


def write_film(clip: Path, index: Path) -> Path:
    """Turn a clip (H.264 or HEVC, any container) into what the server script sends: one JSON and one binary file."""
    pictures: list[tuple[int, int, int, int]] = []
    data = bytearray()
    with av.open(clip) as container:
        stream = container.streams.video[0]
        codec = stream.codec_context.name
        annex_b = av.BitStreamFilterContext(f"{codec}_mp4toannexb", stream)
        nanoseconds = stream.time_base * 1_000_000_000
        step = int(1_000_000_000 / (stream.average_rate or 25))
        for packet in container.demux(stream):
            for plain in annex_b.filter(packet) if packet.size else ():
                dts = plain.pts if plain.dts is None else plain.dts
                pictures.append((len(data), plain.size, int(plain.pts * nanoseconds), int(dts * nanoseconds)))
                data += bytes(plain)
    first = min(dts for *_, dts in pictures)
    shown = [pts for _, _, pts, _ in pictures]
    film = {
        "codec": codec,
        "duration": max(shown) - min(shown) + step,
        "pictures": [(offset, size, pts - first, dts - first) for offset, size, pts, dts in pictures],
    }
    index.with_suffix(".bin").write_bytes(data)
    index.write_text(json.dumps(film), "utf-8")
    return index


class RtspServer:
    """A server that can be killed and started again on the same port."""

    def __init__(self, mounts: Mapping[str, Path], *, user: str | None = None, password: str = "") -> None:
        self.port = 0
        self._films = tempfile.TemporaryDirectory(prefix="films-")
        self._arguments = []
        for number, (name, clip) in enumerate(mounts.items()):
            index = write_film(clip, Path(self._films.name) / f"{number}.json")
            self._arguments.append(f"--mount={name}={index}")
        if user is not None:
            self._arguments += [f"--user={user}", f"--password={password}"]
        self._process: subprocess.Popen[str] | None = None
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [PYTHON, str(SCRIPT), f"--port={self.port}", *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def kill(self) -> None:
        """As if the power had gone."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def forget(self) -> None:
        """Remove what was written for the server."""
        self._films.cleanup()

    def pause(self) -> None:
        """Hang: connections stay, nothing is sent or answered."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def url(self, mount: str, login: str = "") -> str:
        return f"rtsp://{login}{'@' if login else ''}127.0.0.1:{self.port}{mount}"


class StartRtspServer(Protocol):
    def __call__(self, mounts: Mapping[str, Path], *, user: str | None = None, password: str = "") -> RtspServer: ...


@pytest.fixture
def rtsp_server() -> Iterator[StartRtspServer]:
    """Starts servers; they are killed after the test."""
    need_gstreamer()
    started: list[RtspServer] = []

    def start(mounts: Mapping[str, Path], *, user: str | None = None, password: str = "") -> RtspServer:
        started.append(RtspServer(mounts, user=user, password=password))
        return started[-1]

    yield start
    for server in started:
        server.kill()
        server.forget()


def need_gstreamer() -> None:
    """Install the server's packages where that is allowed; skip the test where they cannot be had."""
    if not gstreamer_works():
        pytest.skip(f"needs the GStreamer RTSP server: apt-get install {' '.join(PACKAGES)}")


@cache
def gstreamer_works() -> bool:
    if probe():
        return True
    install = installer()
    if install is None:
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["update", "-qq"], ["install", "-qq", "-y", "--no-install-recommends", *PACKAGES]):
        subprocess.run([*install, *step], env=environment, check=False, stdout=subprocess.DEVNULL)
    return probe()


def probe() -> bool:
    if not Path(PYTHON).exists():
        return False
    return subprocess.run([PYTHON, "-c", PROBE], check=False, capture_output=True).returncode == 0


def installer() -> list[str] | None:
    """How this user may install Debian packages without being asked for a password; None when not at all."""
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return ["apt-get"]
    sudo = ["sudo", "-n"]
    if shutil.which("sudo") and subprocess.run([*sudo, "true"], check=False, capture_output=True).returncode == 0:
        return [*sudo, "apt-get"]
    return None

"""A GStreamer RTSP server as a fixture.

In a conftest: `from tests.servers.rtsp import rtsp_server`. A test then calls
`server = rtsp_server({"/gate": path_of_clip}, user=..., password=...)` and reads `server.url("/gate")`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Protocol

import pytest

from pipeline.soak.server import PACKAGES, RtspServer, gstreamer_works

__all__ = ["RtspServer", "StartRtspServer", "rtsp_server"]


class StartRtspServer(Protocol):
    def __call__(
        self,
        mounts: Mapping[str, Path | Sequence[Path]],
        *,
        user: str | None = None,
        password: str = "",
        epoch: float | None = None,
    ) -> RtspServer: ...


@pytest.fixture
def rtsp_server() -> Iterator[StartRtspServer]:
    """Starts servers; they are killed after the test."""
    need_gstreamer()
    started: list[RtspServer] = []

    def start(
        mounts: Mapping[str, Path | Sequence[Path]],
        *,
        user: str | None = None,
        password: str = "",
        epoch: float | None = None,
    ) -> RtspServer:
        started.append(RtspServer(mounts, user=user, password=password, epoch=epoch))
        return started[-1]

    yield start
    for server in started:
        server.kill()
        server.forget()


def need_gstreamer() -> None:
    """Install the server's packages where that is allowed; skip the test where they cannot be had."""
    if not installed():
        pytest.skip(f"needs the GStreamer RTSP server: apt-get install {' '.join(PACKAGES)}")


@cache
def installed() -> bool:
    if gstreamer_works():
        return True
    install = installer()
    if install is None:
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["update", "-qq"], ["install", "-qq", "-y", "--no-install-recommends", *PACKAGES]):
        subprocess.run([*install, *step], env=environment, check=False, stdout=subprocess.DEVNULL)
    return gstreamer_works()


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

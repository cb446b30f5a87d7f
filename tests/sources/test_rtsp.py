from __future__ import annotations

import logging
import re
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest

from pipeline.sources import ReaderPool, RtspCamera
from tests.servers.deaf import deaf_server

from ..servers.clips import make_clip, number_of
from ..servers.rtsp import StartRtspServer
from .watched import Watched, watching


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", frames=100, b_frames=0, gop=25)


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_frames_come_with_the_hosts_time(
    rtsp_server: StartRtspServer, readers: ReaderPool, clip: Path, transport: str
) -> None:
    server = rtsp_server({"/gate": clip})
    with watching(readers, server.url("/gate"), transport=transport) as watched:
        watched.until(lambda: len(watched.frames) > 40)
        delay = datetime.now(UTC) - watched.frames[-1].time
        assert timedelta(seconds=-0.2) < delay < timedelta(seconds=3)
        state = watched.camera.state
        assert (state.phase, state.error, state.reconnects) == ("live", None, 0)
        assert state.fps == pytest.approx(25, abs=1)
    numbers = [number_of(frame.image) for frame in watched.frames]
    assert numbers == sorted(set(numbers))
    for earlier, later in pairwise(watched.frames):
        frames = number_of(later.image) - number_of(earlier.image)  # a busy machine may leave some out
        assert (later.time - earlier.time).total_seconds() == pytest.approx(frames * 0.04, abs=2e-3)
    assert watched.packets[0].is_keyframe
    assert {packet.time for packet in watched.packets} >= {frame.time for frame in watched.frames}
    assert watched.camera.state.phase == "closed"


def test_the_rate_is_kept_and_hevc_is_read(rtsp_server: StartRtspServer, readers: ReaderPool, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", "libx265", frames=100, b_frames=0, gop=25)
    server = rtsp_server({"/gate": clip})
    with watching(readers, server.url("/gate"), rate=5) as watched:
        watched.until(lambda: len(watched.frames) > 6)
        assert watched.camera.info is not None
        assert watched.camera.info.codec == "hevc"
    steps = [(later.time - earlier.time).total_seconds() for earlier, later in pairwise(watched.frames[1:])]
    due = [0.2 * max(1, round(step / 0.2)) for step in steps]  # a busy machine may pass a frame over
    assert steps == pytest.approx(due, abs=0.05)
    assert median(steps) == pytest.approx(0.2, abs=0.05)


def test_a_server_that_dies_and_comes_back(rtsp_server: StartRtspServer, readers: ReaderPool, clip: Path) -> None:
    server = rtsp_server({"/gate": clip})
    with watching(readers, server.url("/gate")) as watched:
        watched.until(lambda: len(watched.frames) > 5)
        server.kill()
        watched.until(lambda: watched.camera.state.phase == "waiting")
        assert watched.camera.state.error
        server.start()
        before = len(watched.frames)
        watched.until(lambda: len(watched.frames) > before + 5)
        state = watched.camera.state
        assert state.phase == "live"
        assert state.error is None
        assert state.reconnects >= 1
    assert all(later.time > earlier.time for earlier, later in pairwise(watched.frames))
    assert [frame.index for frame in watched.frames] == list(range(len(watched.frames)))
    assert all((later.dts or 0) >= (earlier.dts or 0) for earlier, later in pairwise(watched.packets))


def test_a_server_that_hangs_is_noticed_and_left_until_it_answers(
    rtsp_server: StartRtspServer, readers: ReaderPool, clip: Path
) -> None:
    server = rtsp_server({"/gate": clip})
    with watching(readers, server.url("/gate"), stall=3) as watched:
        watched.until(lambda: watched.frames)
        server.pause()
        watched.until(lambda: watched.camera.state.phase == "stalled")
        assert re.fullmatch(r"camera gate: no picture for [12]\.\d s", watched.camera.state.error or "")
        watched.until(lambda: watched.camera.state.reconnects >= 1)
        assert "check power, network" in (watched.camera.state.error or "")
        server.resume()
        before = len(watched.frames)
        watched.until(lambda: len(watched.frames) > before)
    assert not any(process.hanging for process in readers.processes)


def test_noise_in_place_of_pictures_is_waited_out(
    rtsp_server: StartRtspServer, readers: ReaderPool, clip: Path
) -> None:
    server = rtsp_server({"/gate": clip})
    with watching(readers, server.url("/gate")) as watched:
        watched.until(lambda: len(watched.frames) > 5)
        server.garble("/gate", on=True)
        watched.until(lambda: watched.camera.state.damaged > 25)
        server.garble("/gate", on=False)
        before = len(watched.frames)
        watched.until(lambda: len(watched.frames) > before + 25)
        state = watched.camera.state
        assert (state.phase, state.reconnects) == ("live", 0)


def test_a_camera_that_begins_with_noise_is_seen_once_it_sends_pictures(
    rtsp_server: StartRtspServer, readers: ReaderPool, clip: Path
) -> None:
    server = rtsp_server({"/gate": clip})
    server.garble("/gate", on=True)
    with watching(readers, server.url("/gate"), stall=2) as watched:
        watched.until(lambda: watched.camera.state.error is not None)
        assert not watched.frames
        server.garble("/gate", on=False)
        watched.until(lambda: len(watched.frames) > 5)
        assert watched.camera.state.phase == "live"


def test_the_right_password_opens(rtsp_server: StartRtspServer, readers: ReaderPool, clip: Path) -> None:
    server = rtsp_server({"/gate": clip}, user="operator", password="h:u@e/ß %")
    with watching(readers, server.url("/gate"), user="operator", password="h:u@e/ß %") as watched:
        watched.until(lambda: watched.frames)


REFUSALS = {
    "wrong password": ("operator:wr0ng-S3cret", "/gate", "the user or password is wrong"),
    "no password": ("", "/gate", "it asks for a user and password"),
    "wrong path": ("operator:s3cret-One", "/yard", "it has no stream at this path"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_camera_that_refuses(
    rtsp_server: StartRtspServer,
    readers: ReaderPool,
    clip: Path,
    case: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    login, mount, complaint = REFUSALS[case]
    server = rtsp_server({"/gate": clip}, user="operator", password="s3cret-One")
    with watching(readers, server.url(mount, login)) as watched:
        watched.until(lambda: watched.camera.state.phase == "failed")
        error = watched.camera.state.error or ""
        shown = repr(watched.camera)
    assert error.startswith(f"camera gate: 127.0.0.1:{server.port}: {complaint}; ")
    captured = capfd.readouterr()
    for place in (error, shown, caplog.text, captured.out, captured.err):
        assert "s3cret" not in place.lower()
        assert "operator" not in place


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_nothing_listens(readers: ReaderPool, capfd: pytest.CaptureFixture[str]) -> None:
    port = unused_port()
    with watching(readers, f"rtsp://operator:s3cret-One@127.0.0.1:{port}/gate?key=s3cret") as watched:
        watched.until(lambda: watched.camera.state.reconnects >= 2)
        reason = f"127.0.0.1:{port}: nothing listens there; check the port and that RTSP is enabled"
        assert watched.camera.state.error == f"camera gate: {reason}"
    told = capfd.readouterr().out
    assert told.count("camera cannot be read") == 1  # not at each attempt
    assert reason in told
    assert "next_attempt_seconds" in told
    assert "s3cret" not in told


def test_an_unknown_host(readers: ReaderPool) -> None:
    with watching(readers, "rtsp://no-such-camera.invalid/gate") as watched:
        watched.until(lambda: watched.camera.state.phase == "waiting")
        assert watched.camera.state.error == (
            "camera gate: no-such-camera.invalid: no such host; check the name and the DNS"
        )


def test_a_server_that_takes_the_connection_and_never_answers(readers: ReaderPool) -> None:
    with deaf_server() as port, watching(readers, f"rtsp://127.0.0.1:{port}/gate", stall=0.6) as watched:
        assert watched.camera.state.phase == "connecting"
        watched.until(lambda: watched.camera.state.phase == "waiting")
        assert watched.camera.state.error is not None
        assert "check power, network" in watched.camera.state.error
        watched.until(lambda: watched.camera.state.reconnects >= 1)


def test_close_returns_at_once_while_the_camera_hangs(readers: ReaderPool) -> None:
    with deaf_server() as port:
        watched = Watched(RtspCamera(f"rtsp://127.0.0.1:{port}/gate", "gate", stall=60, readers=readers))
        time.sleep(0.3)
        began = time.monotonic()
        watched.camera.close()
        watched.thread.join(5)
        assert not watched.thread.is_alive()
        assert time.monotonic() - began < 1


def test_close_before_the_first_frame_ends_the_iteration(readers: ReaderPool) -> None:
    camera = RtspCamera("rtsp://127.0.0.1:9/gate", "gate", readers=readers)
    camera.close()
    assert list(camera.frames(lambda packet: None)) == []


def test_what_listens_but_speaks_no_rtsp(readers: ReaderPool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def answer() -> None:
            connection, _ = server.accept()
            connection.recv(1000)
            connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n<html>\r\n")
            connection.close()

        threading.Thread(target=answer, daemon=True).start()
        with watching(readers, f"rtsp://127.0.0.1:{port}/gate", stall=3) as watched:
            watched.until(lambda: watched.camera.state.phase in {"waiting", "failed"})
            assert watched.camera.state.error is not None
            assert watched.camera.state.error.startswith(f"camera gate: 127.0.0.1:{port}: ")


def test_waits_double_and_are_shortened_by_chance(readers: ReaderPool, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    camera = RtspCamera(f"rtsp://127.0.0.1:{unused_port()}/gate", "gate", readers=readers, jitter=lambda: 0.5)

    def wait(timeout: float | None = None) -> bool:
        waits.append(timeout or 0)
        if len(waits) == 7:
            camera.close()
        return False

    monkeypatch.setattr(camera._closed, "wait", wait)
    assert list(camera.frames(lambda packet: None)) == []
    assert waits == [0.75, 1.5, 3, 6, 12, 22.5, 22.5]

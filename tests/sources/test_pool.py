"""Reader processes that hang, die or are left alone, and streams that misbehave."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import av
import pytest

from pipeline.frame import Image
from pipeline.readers.messages import Order
from pipeline.soak.films import resize
from pipeline.sources import ReaderPool

from ..servers.clips import make_clip, number_of
from ..servers.noise import bad_line
from ..servers.rtsp import RtspServer, StartRtspServer, need_gstreamer
from .watched import Watched, watching

ROOT = Path(__file__).parents[2]
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - only looked at


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", frames=100, b_frames=0, gop=25)


@pytest.fixture(scope="module")
def server(clip: Path) -> Iterator[RtspServer]:
    """One that stays as it is."""
    need_gstreamer()
    keyed = make_clip(clip.with_name("keyed.mp4"), frames=100, b_frames=0, gop=5)
    server = RtspServer({"/gate": clip, "/yard": clip, "/keyed": keyed})
    yield server
    server.kill()
    server.forget()


@pytest.fixture
def pool() -> Iterator[ReaderPool]:
    """Processes that a test may spoil."""
    with ReaderPool(patience=2) as pool:
        yield pool


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cameras that are lost open again, and processes are looked after, without waiting for long."""
    monkeypatch.setattr("pipeline.sources.rtsp.FIRST_WAIT", 0.1)
    monkeypatch.setattr("pipeline.sources.pool.TICK_SECONDS", 0.1)


def process_of(pool: ReaderPool, camera: str) -> int:
    """The process that the camera is read in; 0 when none."""
    return next((state.pid for state in pool.processes if camera in state.cameras), 0)


def lives(process: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def wait_until_gone(*processes: int) -> None:
    end = time.monotonic() + 5
    while any(map(lives, processes)):
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_camera_that_hangs_in_the_decoder_library_moves_alone(
    server: RtspServer, pool: ReaderPool, tmp_path: Path
) -> None:
    silent = tmp_path / "pipe"
    os.mkfifo(silent)  # opening it hangs in the system, where none of the library's time limits reach
    with (
        watching(pool, server.url("/gate")) as gate,
        watching(pool, f"file:{silent}", camera="stuck", stall=0.4) as stuck,
    ):
        gate.until(lambda: gate.frames)
        shared = process_of(pool, "gate")
        stuck.until(lambda: process_of(pool, "stuck") not in {0, shared})
        alone = process_of(pool, "stuck")
        stuck.until(lambda: not lives(alone))  # the next time nobody is with it, and its process goes at once
        assert stuck.camera.state.error == "camera stuck: no picture for 2 s, and its reader hangs; it gets another"
        gate.until(lambda: not lives(shared))  # the other camera has left it, too, and nothing was missed for it
        gate.more()
        assert gate.camera.state.reconnects == 0
        steps = [(later.dts or 0) - (earlier.dts or 0) for earlier, later in pairwise(gate.packets)]
        assert 0 < min(steps) <= max(steps) < 2 * 3600
        assert all(later.time > earlier.time for earlier, later in pairwise(gate.frames))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_process_that_dies_or_stops_is_replaced(server: RtspServer, pool: ReaderPool, number: signal.Signals) -> None:
    with watching(pool, server.url("/gate")) as gate, watching(pool, server.url("/yard"), camera="yard") as yard:
        for watched in (gate, yard):
            watched.until(lambda watched=watched: watched.frames)
        old = process_of(pool, "gate")
        assert process_of(pool, "yard") == old
        os.kill(old, number)
        for watched in (gate, yard):
            watched.until(lambda watched=watched: watched.camera.state.reconnects == 1)
            watched.more()
            assert all(later.time > earlier.time for earlier, later in pairwise(watched.frames))
            assert all((later.dts or 0) >= (earlier.dts or 0) for earlier, later in pairwise(watched.packets))
        assert process_of(pool, "gate") not in {0, old}
        wait_until_gone(old)


@pytest.mark.usefixtures("eager")
def test_cameras_of_a_process_that_dies_are_split_until_they_gave_no_trouble(server: RtspServer) -> None:
    """So that the one of them that kills it is found, at the price of few processes. These are brought together."""
    with ReaderPool(group=4) as pool, ExitStack() as stack:
        names = [f"camera-{number}" for number in range(3)]
        cameras = [stack.enter_context(watching(pool, server.url("/keyed"), camera=name)) for name in names]

        def read_by(count: int) -> set[int]:
            """The processes that all cameras are read in, when there are so many and no more."""
            for camera in cameras:
                camera.until(lambda: len({process_of(pool, name) for name in names} - {0}) == count, seconds=60)
                camera.more()
            return {process_of(pool, name) for name in names}

        (old,) = read_by(1)
        os.kill(old, signal.SIGKILL)
        read_by(2)
        os.kill(max(pool.processes, key=lambda process: len(process.cameras)).pid, signal.SIGKILL)
        parts = read_by(3)
        counts = [len(camera.packets) for camera in cameras]
        reconnects = [camera.camera.state.reconnects for camera in cameras]
        pool.probation = 0.5  # it has passed for all
        (together,) = read_by(1)
        assert together in parts, "no further process was needed for it"
        wait_until_gone(*(parts - {together}))
        for camera, count, before in zip(cameras, counts, reconnects, strict=True):
            assert camera.camera.state.reconnects == before
            packets = camera.packets[count - 1 :]
            steps = [(later.dts or 0) - (earlier.dts or 0) for earlier, later in pairwise(packets)]
            assert 0 < min(steps) <= max(steps) < 2 * 3600, "nothing was missed"
        pool.probation = 300
        os.kill(together, signal.SIGKILL)
        assert together not in read_by(2), "halves again, no smaller: what happened before is forgotten"


def test_cameras_that_take_no_second_connection_stay_where_they_are(
    server: RtspServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.sources.process.LEAVING_SECONDS", 4.0)
    with (
        bad_line(server.port) as line,
        ReaderPool(group=2) as pool,
        watching(pool, f"rtsp://127.0.0.1:{line.port}/gate") as gate,
        watching(pool, f"rtsp://127.0.0.1:{line.port}/yard", camera="yard") as yard,
    ):
        gate.until(lambda: gate.frames and yard.frames)
        os.kill(process_of(pool, "gate"), signal.SIGKILL)
        for watched in (gate, yard):
            watched.until(lambda watched=watched: watched.camera.state.reconnects == 1)
            watched.more()
        line.full, pool.probation = True, 0.5
        gate.until(lambda: line.refused)
        assert process_of(pool, "gate") != process_of(pool, "yard")
        line.full = False  # tried again after a while
        gate.until(lambda: len(pool.processes) == 1)
        for watched in (gate, yard):
            watched.more()
            assert watched.camera.state.reconnects == 1


def test_a_group_is_kept_and_an_end_leaves_nothing_behind(server: RtspServer, clip: Path) -> None:
    before = set(SHARED_MEMORY.iterdir()) if SHARED_MEMORY.is_dir() else set()
    with ReaderPool(group=2, opens=1) as pool, ExitStack() as stack:
        cameras = [
            stack.enter_context(watching(pool, server.url("/gate"), camera=f"camera-{number}")) for number in range(3)
        ]
        for camera in cameras:
            camera.until(lambda camera=camera: camera.frames)
        states = pool.processes
        assert sorted(len(state.cameras) for state in states) == [1, 2]
        assert all(0 < state.resident < 90 * 2**20 for state in states)
    assert not any(lives(state.pid) for state in states)
    after = set(SHARED_MEMORY.iterdir()) if SHARED_MEMORY.is_dir() else set()
    assert not [path for path in after - before if not path.name.startswith("PostgreSQL")]


OWNER = """
import sys, threading
from pipeline.sources import ReaderPool, RtspCamera
readers = ReaderPool()
camera = RtspCamera(sys.stdin.readline().strip(), "gate", readers=readers)
for number, frame in enumerate(camera.frames(lambda packet: None)):
    if number == 3:
        print(*[state.pid for state in readers.processes], flush=True)
"""


def test_no_process_outlives_its_killed_owner(server: RtspServer) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert owner.stdin is not None and owner.stdout is not None
    owner.stdin.write(f"{server.url('/gate', 'operator:s3cret-One')}\n")
    owner.stdin.flush()
    process = int(owner.stdout.readline())
    assert b"s3cret" not in Path(f"/proc/{process}/cmdline").read_bytes()
    os.kill(process, signal.SIGSTOP)  # it cannot even notice
    owner.kill()
    owner.communicate()
    wait_until_gone(process)


def test_a_stream_of_its_own_for_analysis(rtsp_server: StartRtspServer, clip: Path, tmp_path: Path) -> None:
    small = resize(clip, tmp_path / "small.mp4", 80, 60)
    server = rtsp_server({"/main": clip, "/sub": small}, epoch=time.time(), user="operator", password="s3cret-One")
    login = {"user": "operator", "password": "s3cret-One"}
    with ReaderPool() as pool:
        with watching(pool, server.url("/main"), analysis=server.url("/sub"), **login) as watched:
            watched.until(lambda: len(watched.frames) > 20 and len(watched.packets) > 40)
            assert watched.camera.state.phase == "live"
        with watching(pool, server.url("/main"), analysis=server.url("/none"), **login) as refused:
            refused.until(lambda: refused.camera.state.phase == "failed")
            assert "it has no stream at this path" in (refused.camera.state.error or "")
    assert {frame.image.shape for frame in watched.frames} == {(60, 80, 3)}
    assert {(packet.stream.width, packet.stream.height) for packet in watched.packets} == {(160, 120)}
    assert watched.packets[0].is_keyframe
    # both streams show the same world at the same time: a frame is in the clip where its time says
    times = {number_of(image): packet.time for packet, image in zip(watched.packets, played(watched), strict=False)}
    apart = [frame.time - times[number_of(frame.image)] for frame in watched.frames if number_of(frame.image) in times]
    assert len(apart) > 10
    loop = 4.0
    assert max(abs((each.total_seconds() + loop / 2) % loop - loop / 2) for each in apart[-5:]) < 0.06


def played(watched: Watched) -> list[Image]:
    """The pictures of the camera's packets, one for each."""
    decoder = av.CodecContext.create("h264", "r")
    decoded = [frame for packet in watched.packets for frame in decoder.decode(av.Packet(packet.data))]
    return [frame.to_ndarray(format="bgr24") for frame in [*decoded, *decoder.decode(None)]]


def test_key_frames_only(server: RtspServer, pool: ReaderPool) -> None:
    with watching(pool, server.url("/gate"), decode="keyframes") as watched:
        watched.until(lambda: len(watched.frames) > 2)
    assert all(number_of(frame.image) % 25 == 0 for frame in watched.frames)
    assert len(watched.packets) > 40


def test_another_size_in_the_middle_of_the_stream(rtsp_server: StartRtspServer, clip: Path, tmp_path: Path) -> None:
    large = resize(clip, tmp_path / "large.mp4", 320, 240)
    server = rtsp_server({"/gate": [clip, large]})
    with ReaderPool() as pool, watching(pool, server.url("/gate")) as watched:
        watched.until(lambda: watched.frames)
        server.switch("/gate", 1)
        watched.until(lambda: watched.frames[-1].image.shape == (240, 320, 3))
        watched.more()
        server.switch("/gate", 0)
        watched.until(lambda: watched.frames[-1].image.shape == (120, 160, 3))
        assert watched.camera.state.reconnects == 0
    for frame in watched.frames:
        assert number_of(frame.image) < 100  # nothing torn, whatever its size
    sizes = [(packet.stream.width, packet.stream.height) for packet in watched.packets if packet.is_keyframe]
    assert set(sizes) == {(160, 120), (320, 240)}


def test_noise_on_the_line_is_survived(server: RtspServer, pool: ReaderPool) -> None:
    with (
        bad_line(server.port) as line,
        watching(pool, server.url("/yard"), camera="yard") as yard,
        watching(pool, f"rtsp://127.0.0.1:{line.port}/gate", stall=1) as gate,
    ):
        gate.until(lambda: gate.frames)
        line.noisy = True
        gate.until(lambda: gate.camera.state.reconnects >= 1)
        line.noisy = False
        gate.more()
        yard.more()
        assert yard.camera.state.reconnects == 0
    assert all(later.time > earlier.time for earlier, later in pairwise(gate.frames))


def test_the_cameras_clock_is_measured(server: RtspServer, pool: ReaderPool) -> None:
    with watching(pool, server.url("/gate")) as watched:
        watched.until(lambda: watched.camera.state.skew is not None)
        assert abs(watched.camera.state.skew or 0) < 2  # the server is this computer


def test_a_missing_decoder_device_is_no_obstacle(
    server: RtspServer, pool: ReaderPool, capfd: pytest.CaptureFixture[str]
) -> None:
    with watching(pool, server.url("/gate"), hardware="amf") as watched:
        watched.until(lambda: watched.frames)
    told = capfd.readouterr().out
    assert told.count("no hardware decoder; decoding on the processor") == 1


def test_a_process_that_cannot_be_started_keeps_no_door(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("Resource temporarily unavailable")

    with ReaderPool(opens=1) as pool, monkeypatch.context() as patch:
        patch.setattr("pipeline.sources.pool.ReaderProcess", refuse)
        for _ in range(3):  # the second would wait for ever
            with pytest.raises(OSError, match="temporarily"):
                pool.open(Order("gate", "rtsp://127.0.0.1:9/gate"), threading.Event())

"""The world of a soak goes on by the clock, and its server tells what a camera really saw."""

from __future__ import annotations

import time

import av
import pytest

from pipeline.config import load
from pipeline.soak.films import resize
from pipeline.soak.scenes import Seat, clip, seats, shown, write_registration
from tests.servers.clips import make_clip, number_of
from tests.servers.rtsp import rtsp_server  # noqa: F401 - a fixture


def test_incidents_repeat_with_their_loop():
    seat = Seat("square-01", "square", 0)
    found = sorted(shown([seat], 1000.0, 1000.0, 1100.0), key=lambda one: one.start)
    assert [round(one.start - 1000, 2) for one in found] == [4.92, 28.92, 52.92, 76.92]
    assert {(one.camera, one.kind, one.where) for one in found} == {("square-01", "crowd", "square")}
    assert list(shown([seat], 1000.0, 1005.0, 1020.0)) == []  # cut at both ends


@pytest.mark.parametrize("cameras", [1, 4, 16])
def test_the_registration_is_valid(tmp_path, cameras):
    chosen = seats(cameras, min(4, cameras))
    path = write_registration(
        tmp_path / "streams.yaml", chosen, [8554] * 4, f"sqlite:///{tmp_path}/x.db", tmp_path / "evidence", 0
    )
    config = load(path)
    assert [camera.id for camera in config.active_cameras] == [seat.camera for seat in chosen]
    assert {seat.sample for seat in chosen} <= {"street", "square", "fire"}


def test_a_clip_of_another_size_has_the_same_pictures_and_key_frames(tmp_path):
    small = resize(clip("fire"), tmp_path / "small.mp4", 640, 360)
    keys, counts = [], []
    for path in (clip("fire"), small):
        with av.open(path) as container:
            packets = [packet for packet in container.demux(video=0) if packet.size]
            keys.append([number for number, packet in enumerate(packets) if packet.is_keyframe])
            counts.append((len(packets), container.streams.video[0].width))
    assert keys[0] == keys[1]
    assert counts == [(198, 1280), (198, 640)]


def test_the_film_goes_on_while_nobody_looks(tmp_path, rtsp_server):  # noqa: F811
    film = make_clip(tmp_path / "film.mp4", frames=100, rate=25, gop=25, b_frames=0)
    epoch = time.time() - 1.2
    server = rtsp_server({"/a": film}, epoch=epoch)
    for _ in range(2):
        with av.open(server.url("/a"), options={"rtsp_transport": "tcp"}) as container:
            frame = next(container.decode(video=0))
        expected = (time.time() - epoch) % 4 * 25
        behind = (expected - number_of(frame.to_ndarray(format="bgr24"))) % 100
        assert behind < 60  # up to a second for the next key frame, and what the player reads ahead
        time.sleep(0.7)
    assert [play.mount for play in server.plays] == ["/a", "/a"]

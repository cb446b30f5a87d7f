from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser

from pipeline.evidence.clip import UnwritableCodecError, decoding_times, obstacle, write_clips
from pipeline.evidence.preview_encoder import write_preview
from pipeline.frame import Frame
from pipeline.sources import MediaPacket, Recording

from ..servers.clips import make_clip, number_of
from .makers import START, STREAM, packet


def read(path: Path) -> tuple[list[Frame], list[MediaPacket]]:
    packets: list[MediaPacket] = []
    return list(Recording(path, "gate", start=START).frames(packets.append)), packets


KINDS = [
    ("clip.mp4", "libx264", "clip.mp4", ""),
    ("clip.mkv", "libx264", "clip.mp4", ""),
    ("clip.ts", "libx264", "clip.mp4", ""),
    ("clip.avi", "libx264", "clip.mp4", ""),
    ("clip.mp4", "libx265", "clip.mp4", "HEVC plays only"),
    ("clip.ts", "libx265", "clip.mp4", "HEVC plays only"),
    ("clip.avi", "mpeg4", "clip.mp4", "browsers do not play the camera's codec mpeg4"),
    ("clip.avi", "msmpeg4", "clip.mkv", "browsers do not play the camera's codec msmpeg4v3"),
    ("clip.avi", "mjpeg", "clip.mp4", "browsers do not play the camera's codec mjpeg"),
    ("clip.wmv", "wmv2", "clip.wmv", "browsers do not play the camera's codec wmv2"),
]


@pytest.mark.parametrize(("name", "codec", "written", "complaint"), KINDS)
def test_every_frame_plays_back_as_it_was(tmp_path: Path, name: str, codec: str, written: str, complaint: str) -> None:
    b_frames = 0 if codec in {"msmpeg4", "mjpeg", "wmv2"} else 2
    frames, packets = read(make_clip(tmp_path / name, codec, b_frames=b_frames))
    folder = tmp_path / "package"
    folder.mkdir()
    (clip,) = write_clips(packets, folder)
    assert clip.name == written
    assert clip.obstacle.startswith(complaint)
    assert bool(clip.obstacle) == bool(complaint)
    assert (clip.start, clip.end) == (frames[0].time, frames[-1].time)
    played, _ = read(folder / clip.name)
    assert len(played) == len(frames)
    for shown, original in zip(played, frames, strict=True):
        assert abs(shown.time - original.time) < timedelta(milliseconds=1)
        assert (shown.image == original.image).all()


def test_a_clip_out_of_the_middle_begins_at_zero(tmp_path: Path) -> None:
    frames, packets = read(make_clip(tmp_path / "source.mp4"))
    write_clips(packets[20:40], tmp_path)
    played, _ = read(tmp_path / "clip.mp4")
    assert [number_of(frame.image) for frame in played] == list(range(20, 40))
    assert [frame.time - START for frame in played] == [frame.time - frames[20].time for frame in frames[20:40]]
    with av.open(tmp_path / "clip.mp4") as container:
        assert container.streams.video[0].start_time == 0


def test_the_same_packets_give_the_same_bytes_ready_for_a_browser(tmp_path: Path) -> None:
    _, packets = read(make_clip(tmp_path / "source.mp4", created="2020-01-01T00:00:00Z"))
    written = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_clips(packets, tmp_path / name)
        written.append((tmp_path / name / "clip.mp4").read_bytes())
    assert written[0] == written[1]
    assert written[0].index(b"moov") < written[0].index(b"mdat")
    assert b"Lavf" not in written[0]


def test_rotation_stays(tmp_path: Path) -> None:
    frames, packets = read(make_clip(tmp_path / "source.mp4", rotation=90))
    write_clips(packets, tmp_path)
    played, _ = read(tmp_path / "clip.mp4")
    assert played[7].image.shape == (160, 120, 3)
    assert (played[7].image == frames[7].image).all()


def test_a_change_of_size_gives_a_second_clip(tmp_path: Path) -> None:
    small = make_clip(tmp_path / "1.ts", b_frames=0)
    large = make_clip(tmp_path / "2.ts", b_frames=0, size=(320, 240), first_number=50)
    joined = tmp_path / "joined.ts"
    joined.write_bytes(small.read_bytes() + large.read_bytes())
    _, packets = read(joined)
    first, second = write_clips(packets, tmp_path)
    assert [first.name, second.name] == ["clip.mp4", "clip-2.mp4"]
    assert [frame.width for frame in read(tmp_path / first.name)[0]] == [160] * 50
    played, _ = read(tmp_path / second.name)
    assert [number_of(frame.image) for frame in played] == list(range(50, 100))
    assert {frame.width for frame in played} == {320}


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=50))
def test_decoding_times_increase_and_never_follow_presentation(presentation: list[int]) -> None:
    times = decoding_times(presentation)
    assert all(later > earlier for earlier, later in pairwise(times))
    assert all(dts <= pts for dts, pts in zip(times, presentation, strict=True))


@pytest.mark.parametrize("codec", ["wmv3", "vc1"])
def test_codecs_without_an_encoder_are_written(tmp_path: Path, codec: str) -> None:
    stream = replace(STREAM, codec=codec, extradata=b"\x4e\x79\x1a\x01")
    (clip,) = write_clips([packet(n / 25, key=n == 0, stream=stream) for n in range(5)], tmp_path)
    assert clip.name == "clip.wmv"
    with av.open(tmp_path / clip.name) as container:
        assert container.streams.video[0].codec_context.extradata == stream.extradata
        assert [bytes(one) for one in container.demux(video=0) if one.size] == [bytes(100)] * 5


def test_an_unknown_codec_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnwritableCodecError, match="no container takes its codec nonsense"):
        write_clips([packet(0, key=True, stream=replace(STREAM, codec="nonsense"))], tmp_path)


def test_h264_that_browsers_do_not_play_is_told() -> None:
    assert obstacle(STREAM) == ""
    assert obstacle(replace(STREAM, pixel_format="yuv422p10le")) == "browsers do not play H.264 in yuv422p10le"


def test_a_preview_shows_the_same_frames(tmp_path: Path) -> None:
    _, packets = read(make_clip(tmp_path / "source.avi", "mpeg4"))
    write_clips(packets, tmp_path)
    write_preview(tmp_path / "clip.mp4", tmp_path / "preview.mp4")
    played, shown = read(tmp_path / "preview.mp4")
    assert [number_of(frame.image) for frame in played] == list(range(50))
    assert played[-1].time - played[0].time == timedelta(seconds=49 / 25)
    assert (shown[0].stream.codec, shown[0].stream.pixel_format) == ("vp9", "yuv420p")
    assert obstacle(shown[0].stream) == ""
    write_preview(tmp_path / "clip.mp4", tmp_path / "again.mp4")
    assert (tmp_path / "again.mp4").read_bytes() == (tmp_path / "preview.mp4").read_bytes()


def test_a_preview_plays_and_can_be_entered_in_a_browser(tmp_path: Path, browser: Browser) -> None:
    _, packets = read(make_clip(tmp_path / "source.avi", "mpeg4"))
    write_clips(packets, tmp_path)
    write_preview(tmp_path / "clip.mp4", tmp_path / "preview.mp4")
    (tmp_path / "page.html").write_text("<video muted controls src=preview.mp4></video>")
    page = browser.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    video = page.locator("video").element_handle()
    page.evaluate("video => video.play()", video)
    page.wait_for_function("video => video.readyState >= 3 && video.currentTime > 0.2", arg=video)
    assert page.evaluate("video => [video.videoWidth, video.videoHeight, video.error]", video) == [160, 120, None]
    assert page.evaluate("video => video.duration", video) == pytest.approx(2, abs=0.05)
    page.evaluate("video => { video.pause(); video.currentTime = 1 }", video)
    page.wait_for_function("video => !video.seeking && video.currentTime === 1", arg=video)
    page.close()

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.errors import AnchorError, SourceError
from pipeline.frame import Frame
from pipeline.sources import MediaPacket, Recording

from ..servers.clips import make_clip, number_of

START = datetime(2024, 1, 31, 16, 59, 50, tzinfo=UTC)


def read(path: Path, rate: float | None = None) -> tuple[Recording, list[Frame], list[MediaPacket]]:
    packets: list[MediaPacket] = []
    recording = Recording(path, "gate", rate, start=START)
    return recording, list(recording.frames(packets.append)), packets


def seconds(frames: list[Frame]) -> list[float]:
    return [(frame.time - START).total_seconds() for frame in frames]


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("clip.mp4", "libx264"),
        ("clip.mkv", "libx264"),
        ("clip.ts", "libx264"),
        ("clip.avi", "libx264"),
        ("clip.mp4", "libx265"),
        ("clip.avi", "mpeg4"),
        ("clip.mp4", "mpeg4"),
        ("clip.wmv", "wmv2"),
        ("clip.avi", "msmpeg4"),
        ("clip.avi", "mjpeg"),
    ],
)
def test_every_frame_comes_once_at_its_time(tmp_path: Path, name: str, codec: str) -> None:
    pixel_format_safe = 0 if codec in {"wmv2", "msmpeg4", "mjpeg"} else 2
    recording, frames, packets = read(make_clip(tmp_path / name, codec, b_frames=pixel_format_safe))
    assert [number_of(frame.image) for frame in frames] == list(range(50))
    assert seconds(frames) == pytest.approx([number / 25 for number in range(50)], abs=2e-3)
    assert [frame.index for frame in frames] == list(range(50))
    assert len(packets) == 50
    assert packets[0].is_keyframe
    assert recording.damage is None
    assert (recording.info.width, recording.info.height) == (160, 120)


def test_variable_frame_rate_keeps_the_given_times(tmp_path: Path) -> None:
    times = [0, 40, 100, 110, 600, 640, 2000, 2033]
    _, frames, _ = read(make_clip(tmp_path / "clip.mkv", times=times))
    assert seconds(frames) == [time / 1000 for time in times]


def test_packets_come_before_their_frames(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mp4")
    shown: list[datetime] = []
    for frame in Recording(path, "gate", start=START).frames(lambda packet: shown.append(packet.time)):
        assert frame.time in shown


def test_packets_are_the_files_own(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mp4")
    _, _, packets = read(path)
    with av.open(path) as container:
        assert [bytes(packet) for packet in container.demux(video=0) if packet.size] == [one.data for one in packets]


@pytest.mark.parametrize("rate", [1, 5, 7.5, 12, 25, 100])
def test_no_more_frames_than_the_rate_and_the_same_every_time(tmp_path: Path, rate: float) -> None:
    path = make_clip(tmp_path / "clip.mkv", frames=75)
    _, frames, _ = read(path, rate)
    times = seconds(frames)
    assert len(times) == pytest.approx(min(75, 3 * rate), abs=1)
    slots = [int(time * rate + 1 / 8) for time in times]
    assert len(set(slots)) == len(slots)
    assert times == seconds(read(path, rate)[1])


def test_a_rate_equal_to_the_streams_keeps_all_frames_of_rounded_times(tmp_path: Path) -> None:
    times = [round(number * 1000 / 30) for number in range(60)]
    _, frames, _ = read(make_clip(tmp_path / "clip.mkv", times=times), 30)
    assert len(frames) == 60


def test_a_recording_can_be_read_again_and_closed(tmp_path: Path) -> None:
    recording = Recording(make_clip(tmp_path / "clip.mp4"), "gate", start=START)
    assert len(list(recording.frames(lambda packet: None))) == len(list(recording.frames(lambda packet: None))) == 50
    seen = 0
    for _ in recording.frames(lambda packet: None):
        seen += 1
        recording.close()
        recording.close()
    assert seen < 10
    assert list(recording.frames(lambda packet: None)) == []


@pytest.mark.parametrize("name", ["a b%20c#?.mp4", "concat:x.mp4", "-y.mp4", "Ngã tư.mp4", "http:x.mp4"])
def test_any_file_name_will_do(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make_clip(tmp_path / "clip.mp4", frames=3).rename(tmp_path / name)
    assert len(read(tmp_path / name)[1]) == 3
    monkeypatch.chdir(tmp_path)
    assert len(read(Path(name))[1]) == 3


@pytest.mark.parametrize(("rotation", "shape"), [(90, (160, 120, 3)), (180, (120, 160, 3)), (-90, (160, 120, 3))])
def test_rotation_is_honoured(tmp_path: Path, rotation: int, shape: tuple[int, ...]) -> None:
    recording, frames, _ = read(make_clip(tmp_path / "clip.mp4", rotation=rotation, frames=5))
    assert frames[3].image.shape == shape
    upright = np.rot90(frames[3].image, -rotation // 90)
    assert number_of(upright) == 3
    assert recording.info.rotation % 360 == rotation % 360


def test_the_name_or_the_container_gives_the_start(tmp_path: Path) -> None:
    named = make_clip(tmp_path / "gate_20240131_235959.mp4", frames=3)
    assert Recording(named, "gate").anchor.time == datetime(2024, 1, 31, 23, 59, 59, tzinfo=UTC)
    created = make_clip(tmp_path / "gate.mp4", frames=3, created="2023-05-06T07:08:09.000000Z")
    assert Recording(created, "gate").anchor.time == datetime(2023, 5, 6, 7, 8, 9, tzinfo=UTC)
    with pytest.raises(AnchorError, match=r"does not match the pattern '%d\.%m\.%Y %H\.%M'"):
        Recording(make_clip(tmp_path / "x.mp4", frames=3), "gate", pattern="%d.%m.%Y %H.%M")


@pytest.mark.parametrize("name", ["clip.mkv", "clip.avi", "clip.ts"])
def test_a_truncated_file_is_read_up_to_its_end(tmp_path: Path, name: str) -> None:
    path = make_clip(tmp_path / name, frames=200, b_frames=0)
    os.truncate(path, path.stat().st_size // 2)
    recording, frames, _ = read(path)
    assert 40 < len(frames) < 160
    assert [number_of(frame.image) for frame in frames][:40] == list(range(40))
    if name != "clip.ts":  # whose header does not say how long it was meant to be
        assert recording.damage is not None
        assert recording.damage.startswith(f"{path}: ")


def test_a_truncated_mp4_with_its_index_is_read_up_to_its_end(tmp_path: Path) -> None:
    whole, path = make_clip(tmp_path / "whole.mp4", frames=200), tmp_path / "clip.mp4"
    with av.open(whole) as source, av.open(path, "w", container_options={"movflags": "faststart"}) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    os.truncate(path, path.stat().st_size * 2 // 3)
    recording, frames, _ = read(path)
    assert 50 < len(frames) < 180
    assert recording.damage is not None
    assert "of the 0:00:08.0 its header declares" in recording.damage


def test_damage_in_the_middle_is_passed_over_and_told(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.avi", "mpeg4", frames=200, b_frames=0)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 600] = bytes(range(200)) * 3
    path.write_bytes(data)
    _, frames, _ = read(path)
    assert len(frames) > 150
    assert number_of(frames[-1].image) == 199
    assert seconds(frames) == sorted(seconds(frames))


def test_a_damaged_file_gives_the_same_every_time(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.avi", frames=100)
    data = bytearray(path.read_bytes())
    for position in range(6000, len(data) - 2000, 701):
        data[position] ^= 0x55
    path.write_bytes(data)
    first, frames, _ = read(path)
    for _ in range(3):
        again, others, _ = read(path)
        assert again.damage == first.damage
        assert [(one.time, one.image.tobytes()) for one in others] == [
            (one.time, one.image.tobytes()) for one in frames
        ]
    assert frames


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b"not a video at all, just a text\n" * 40, "is not a video"),
        (bytes(4096), "is not a video"),
    ],
)
def test_what_is_no_video_is_refused(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=complaint) as error:
        Recording(path, "gate", start=START)
    assert str(path) in str(error.value)


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        Recording(tmp_path / "none.mp4", "gate", start=START)
    with pytest.raises(SourceError, match="is a folder"):
        Recording(tmp_path, "gate", start=START)


def test_sound_alone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp4"
    with av.open(path, "w") as container:
        stream = container.add_stream("aac", rate=16000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.float32), "fltp", "mono")
        frame.sample_rate = 16000
        container.mux([*stream.encode(frame), *stream.encode(None)])
    with pytest.raises(SourceError, match="holds no video, only audio"):
        Recording(path, "gate", start=START)


def test_a_file_whose_frames_are_all_damaged_is_refused(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "clip.mp4", frames=20)
    data = path.read_bytes()
    begin = data.index(b"mdat") + 4
    end = data.index(b"moov") - 4
    path.write_bytes(data[:begin] + bytes(end - begin) + data[end:])
    recording = Recording(path, "gate", start=START)
    with pytest.raises(SourceError, match="not one frame could be decoded"):
        list(recording.frames(lambda packet: None))


def test_a_playlist_opens_nothing_but_files(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://127.0.0.1:9/secret.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(SourceError):
        Recording(path, "gate", start=START)


def test_timestamps_that_begin_anew_are_joined(tmp_path: Path) -> None:
    first, second = make_clip(tmp_path / "1.ts", frames=50), make_clip(tmp_path / "2.ts", first_number=50)
    joined = tmp_path / "joined.ts"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    recording, frames, packets = read(joined)
    assert [number_of(frame.image) for frame in frames] == list(range(100))
    times = seconds(frames)
    assert times == pytest.approx([number / 25 for number in range(100)], abs=0.1)
    assert all(later > earlier for earlier, later in pairwise(times))
    assert recording.damage is not None
    assert "begin anew" in recording.damage
    assert [packet.time for packet in packets if packet.is_keyframe][5] == frames[50].time


def test_a_change_of_size_shows_in_packets_and_frames(tmp_path: Path) -> None:
    small = make_clip(tmp_path / "1.ts", b_frames=0)
    large = make_clip(tmp_path / "2.ts", b_frames=0, size=(320, 240), first_number=50)
    joined = tmp_path / "joined.ts"
    joined.write_bytes(small.read_bytes() + large.read_bytes())
    _, frames, packets = read(joined)
    assert [frame.width for frame in frames] == [160] * 50 + [320] * 50
    assert [packet.stream.width for packet in packets] == [160] * 50 + [320] * 50
    assert packets[0].stream.extradata != packets[99].stream.extradata
    assert packets[0].stream.time_base == Fraction(1, 90_000)


@pytest.mark.parametrize(
    ("name", "count", "length"),
    [("motorway.mp4", 341, 11.37), ("cctv_dusk.avi", 500, 33.34), ("plaza.avi", 795, 79.5), ("snow.mp4", 734, 75.1)],
)
def test_real_footage(shared_data: Path, name: str, count: int, length: float) -> None:
    recording, frames, _ = read(shared_data / "video" / name, rate=2)
    assert recording.duration is not None
    assert recording.duration.total_seconds() == pytest.approx(length, abs=0.1)
    assert frames[-1].time - START == pytest.approx(recording.duration, abs=timedelta(seconds=1))
    assert frames[-1].index == pytest.approx(count, abs=20)
    assert recording.damage is None

"""Evidence from a live camera: packets of a real RTSP server."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import av
import pytest

from pipeline.evidence import EvidenceRecorder, verify_package
from pipeline.frame import Frame
from pipeline.sources import ReaderPool, Recording, RtspCamera
from pipeline.types import Evidence

from ..servers.clips import make_clip, number_of
from ..servers.rtsp import RtspServer, StartRtspServer
from .makers import START, violation

SECOND = timedelta(seconds=1)


def watch(server: RtspServer, root: Path, outage: Callable[[], None] | None = None) -> tuple[Evidence, list[Frame]]:
    """Follow the camera; a violation one second after its first frame, until its package is complete. In the middle of
    it there may be an `outage`."""
    readers = ReaderPool()
    camera = RtspCamera(server.url("/gate"), "gate", readers=readers, jitter=lambda: 1.0)
    recorder = EvidenceRecorder("gate", root, before=SECOND / 2, after=SECOND / 2, limit=timedelta(seconds=20))
    shown: list[Frame] = []
    begun = None
    ended = False
    end = time.monotonic() + 30
    for frame in camera.frames(recorder.packet):
        assert time.monotonic() < end, "the package was never completed"
        shown.append(frame)
        if begun is None and frame.time > shown[0].time + SECOND:
            begun = frame
            recorder.record(violation(frame, frame.time))
            if outage is not None:
                outage()
        if (
            begun is not None
            and not ended
            and (camera.state.reconnects or outage is None)
            and frame.time > begun.time + SECOND
        ):
            recorder.record(violation(frame, begun.time, frame.time))
            ended = True
        for evidence in recorder.advance(frame.time):
            camera.close()
            readers.close()
            return evidence, shown
    pytest.fail("the camera ended")


def played(root: Path, evidence: Evidence) -> list[Frame]:
    return list(Recording(root / evidence.folder / "clip.mp4", "gate", start=START).frames(lambda packet: None))


@pytest.mark.parametrize("encoder", ["libx264", "libx265"])
def test_the_clip_shows_the_very_frames(rtsp_server: StartRtspServer, tmp_path: Path, encoder: str) -> None:
    footage = make_clip(tmp_path / "clip.mp4", encoder, frames=100, b_frames=0, gop=10)
    evidence, shown = watch(rtsp_server({"/gate": footage}), tmp_path)
    assert evidence.complete
    assert verify_package(tmp_path / evidence.folder) == []
    frames = played(tmp_path, evidence)
    assert len(frames) > 50
    originals = {number_of(frame.image): frame for frame in shown[:100] if frame.whole}  # a still is a JPEG by now
    seen = [frame for frame in frames if number_of(frame.image) in originals]
    assert len(seen) > len(frames) / 2  # a busy machine may leave frames out of the analysis, never out of the clip
    for frame in seen:
        assert (frame.image == originals[number_of(frame.image)].image).all()
    gaps = [(later.time - earlier.time).total_seconds() for earlier, later in pairwise(frames)]
    assert gaps == pytest.approx([0.04] * len(gaps), abs=2e-3)


def test_an_outage_is_a_gap_in_one_clip(rtsp_server: StartRtspServer, tmp_path: Path) -> None:
    footage = make_clip(tmp_path / "clip.mp4", frames=100, b_frames=0, gop=10)
    server = rtsp_server({"/gate": footage})

    def outage() -> None:
        server.kill()
        server.start()

    evidence, shown = watch(server, tmp_path, outage)
    assert verify_package(tmp_path / evidence.folder) == []
    gaps = [later.time - earlier.time for earlier, later in pairwise(played(tmp_path, evidence))]
    outages = [later.time - earlier.time for earlier, later in pairwise(shown)]
    assert max(gaps) > SECOND / 4
    assert max(gaps) < max(outages) + SECOND / 10


def test_another_codec_on_the_same_address_is_a_second_part(rtsp_server: StartRtspServer, tmp_path: Path) -> None:
    before, after = (
        rtsp_server({"/gate": make_clip(tmp_path / f"{encoder}.mp4", encoder, frames=100, b_frames=0, gop=10)})
        for encoder in ("libx264", "libx265")
    )

    def set_anew() -> None:
        after.kill()
        before.kill()
        after.port = before.port
        after.start()

    evidence, _ = watch(before, tmp_path, set_anew)
    assert "the clip is in 2 parts because the camera changed its picture format" in evidence.note
    assert verify_package(tmp_path / evidence.folder) == []
    codecs = []
    for name in ("clip.mp4", "clip-2.mp4"):
        with av.open(tmp_path / evidence.folder / name) as clip:
            codecs.append(clip.streams.video[0].codec_context.name)
            assert len(list(clip.decode(video=0))) > 10
    assert codecs == ["h264", "hevc"]

"""A frame and the JPEG it becomes: the same bytes whoever asks, pixels while there are any."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import numpy as np
import pytest

from pipeline.errors import EvidenceError
from pipeline.frame import Frame, decode, encode

TIME = datetime(2026, 3, 1, tzinfo=UTC)


def picture(width: int = 640, height: int = 360) -> np.ndarray:
    across = np.linspace(0, 255, width).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(across[None, :, None], (height, width, 3)))


def test_a_frame_shows_its_pixels_until_it_becomes_a_jpeg_and_then_what_that_shows():
    image = picture()
    frame = Frame("gate", 7, TIME, image)
    assert frame.whole
    assert frame.image is image
    jpeg = frame.jpeg()
    assert not frame.whole
    assert np.abs(frame.image.astype(int) - image).max() <= 4
    assert frame.jpeg() is jpeg
    assert np.array_equal(frame.image, decode(jpeg))
    assert (frame.camera, frame.index, frame.time, frame.width, frame.height) == ("gate", 7, TIME, 640, 360)


def test_a_kept_frame_comes_back_with_the_very_bytes():
    jpeg = encode(picture(80, 48))
    frame = Frame.of_jpeg("gate", 3, TIME, jpeg)
    assert frame.jpeg() == jpeg
    assert (frame.width, frame.height, frame.whole) == (80, 48, False)


def test_of_those_who_ask_at_once_all_get_the_same_picture():
    frame, found = Frame("gate", 0, TIME, picture(1280, 720)), []
    together = threading.Barrier(4)

    def ask(what: str) -> None:
        together.wait()
        found.append(frame.jpeg() if what == "jpeg" else encode(frame.image))

    threads = [threading.Thread(target=ask, args=(what,)) for what in ("jpeg", "jpeg", "image", "image")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert frame.jpeg() in found
    assert all(np.abs(decode(one).astype(int) - picture(1280, 720)).max() <= 8 for one in found)


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff", b"no picture at all"])
def test_what_shows_no_picture_is_refused(data):
    with pytest.raises(EvidenceError, match="no picture"):
        Frame.of_jpeg("gate", 0, TIME, data)


def test_what_is_no_picture_cannot_be_encoded():
    with pytest.raises(EvidenceError, match=r"shape \(0, 0, 3\) cannot be encoded"):
        Frame("gate", 0, TIME, np.zeros((0, 0, 3), np.uint8)).jpeg()

"""One decoded frame, and the JPEG it becomes where it is kept.

Evidence keeps pictures as JPEG at quality 95 without chroma subsampling: every viewer opens it, and what the camera
really sent is in the clip, whose packets are untouched, so that a lossless still would add size and no truth.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.errors import EvidenceError

Image: TypeAlias = npt.NDArray[np.uint8]
"""A picture, uint8 [height, width, 3], BGR."""

QUALITY = [
    cv2.IMWRITE_JPEG_QUALITY, 95,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
]  # fmt: skip

SETTLES = timedelta(seconds=2)
"""Media time after which a frame that somebody still holds is to become a JPEG: an incident may last for hours."""


class Frame:
    """One decoded frame: `index` counts decoded frames of the source from 0, `time` is its media time, `width` and
    `height` are in pixels.

    What holds a frame for long asks for its `jpeg`. All that hold the frame then share that in place of the pixels,
    and it takes a tenth of the memory. Safe to share between threads.
    """

    __slots__ = ("__weakref__", "_image", "_jpeg", "camera", "height", "index", "time", "width")

    def __init__(self, camera: str, index: int, time: datetime, image: Image) -> None:
        self.camera, self.index, self.time = camera, index, time
        self.height, self.width = int(image.shape[0]), int(image.shape[1])
        self._image: Image | None = image
        self._jpeg = b""

    @classmethod
    def of_jpeg(cls, camera: str, index: int, time: datetime, jpeg: bytes) -> Frame:
        """A frame that was kept. Raises EvidenceError for what shows no picture."""
        frame = cls(camera, index, time, decode(jpeg))
        frame._jpeg, frame._image = jpeg, None
        return frame

    @property
    def image(self) -> Image:
        """The pixels as they were decoded; once the frame has become a JPEG, a copy of what that shows."""
        image = self._image
        return decode(self._jpeg) if image is None else image

    @property
    def whole(self) -> bool:
        """Whether the frame is held as it was decoded."""
        return self._image is not None

    def jpeg(self) -> bytes:
        """The picture as evidence keeps it, the same bytes whenever it is asked for. Raises EvidenceError for what is
        no picture."""
        image = self._image
        if image is not None:
            self._jpeg = encode(image)
            self._image = None  # after the other: whoever finds none finds the JPEG
        return self._jpeg


def encode(image: Image) -> bytes:
    """The picture as JPEG.

    Raises:
        EvidenceError: it is no picture.
    """
    try:
        done, data = cv2.imencode(".jpg", image, QUALITY)
    except cv2.error as error:
        raise EvidenceError(f"a picture of shape {image.shape} cannot be encoded: {error.err}") from None
    if not done:
        raise EvidenceError(f"a picture of shape {image.shape} cannot be encoded")
    return data.tobytes()


def decode(data: bytes) -> Image:
    """The picture that a JPEG shows.

    Raises:
        EvidenceError: it shows none.
    """
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if image is None:
        raise EvidenceError("what should be a JPEG shows no picture")
    return np.asarray(image, np.uint8)

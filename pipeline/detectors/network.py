"""The way of every box detector: place, normalise, run, decode, suppress, map back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from pipeline.detectors.letterbox import Letterbox, Normalisation, Placement, resize
from pipeline.detectors.session import Blob, Session
from pipeline.detectors.suppression import Candidates, Suppression
from pipeline.errors import ModelError
from pipeline.frame import Image
from pipeline.types import Detections

LARGEST_BATCH = 8
"""Pictures in one call; more does not run faster on a CPU and takes memory in proportion."""


def limits(threshold: float | Mapping[str, float], classes: Sequence[str]) -> npt.NDArray[np.float32]:
    """The lowest score of each class, float32 [C].

    Raises:
        ModelError: a class is left out.
    """
    if isinstance(threshold, Mapping):
        missing = [name for name in classes if name not in threshold]
        if missing:
            raise ModelError(f"threshold: give one number, or one for each class; none is given for {missing[0]!r}")
        return np.array([threshold[name] for name in classes], np.float32)
    return np.full(len(classes), threshold, np.float32)


def probe(session: Session, letterbox: Letterbox) -> list[tuple[int, ...]]:
    """Shapes of the outputs for a blank picture of the full size; also makes the runtime ready for the first frame.

    Raises:
        ModelError: the network does not run on that size.
    """
    placement, signature = letterbox.place(letterbox.width, letterbox.height), session.signature
    blank = np.zeros((signature.batch or 1, 3, placement.height, placement.width), signature.dtype)
    return [answer.shape for answer in session.run(blank)]


class Head(Protocol):
    """Turns a network's outputs into candidates. One for each family of networks."""

    def decode(self, outputs: Sequence[npt.NDArray[Any]], width: int, height: int) -> list[Candidates]:
        """Candidates of each picture of the batch, in pixels of the network's input."""


@dataclass(frozen=True, slots=True, eq=False)
class NetworkDetector:
    """A detector made of a loaded network and the parts that suit its family. See Detector.

    `batch` is the one number of pictures that the network takes in a call, None when it takes any.
    """

    name: str
    sha256: str
    classes: tuple[str, ...]
    session: Session
    letterbox: Letterbox
    normalisation: Normalisation
    head: Head
    suppression: Suppression
    batch: int | None

    def detect(self, frames: Sequence[Image]) -> list[Detections]:
        answers = [Detections.empty()] * len(frames)
        for indices, placements in self._batches(frames):
            blob = self._blob([frames[index] for index in indices], placements)
            found = self.head.decode(self.session.run(blob), blob.shape[3], blob.shape[2])
            for index, placement, candidates in zip(indices, placements, found, strict=False):
                answers[index] = self._finish(candidates, placement, frames[index])
        return answers

    def _batches(self, frames: Sequence[Image]) -> Iterator[tuple[list[int], list[Placement]]]:
        """Frames that share one input shape, a batch at a time."""
        shapes: defaultdict[tuple[int, int], list[tuple[int, Placement]]] = defaultdict(list)
        for index, frame in enumerate(frames):
            placement = self.letterbox.place(frame.shape[1], frame.shape[0])
            shapes[placement.height, placement.width].append((index, placement))
        size = self.batch or LARGEST_BATCH
        for members in shapes.values():
            for start in range(0, len(members), size):
                batch = members[start : start + size]
                yield [index for index, _ in batch], [placement for _, placement in batch]

    def _blob(self, frames: Sequence[Image], placements: Sequence[Placement]) -> Blob:
        size = self.batch or len(frames)  # a network of fixed batch gets its last batch filled up with zeros
        blob = np.zeros if size > len(frames) else np.empty
        filled = blob((size, 3, placements[0].height, placements[0].width), np.float32)
        for frame, placement, plane in zip(frames, placements, filled, strict=False):
            width, height = placement.content_width, placement.content_height
            self.normalisation.fill(resize(frame, width, height, smooth=self.letterbox.smooth), placement, plane)
        return filled.astype(self.session.signature.dtype, copy=False)

    def _finish(self, candidates: Candidates, placement: Placement, frame: Image) -> Detections:
        kept = self.suppression.keep(candidates)
        if not len(kept):
            return Detections.empty()
        boxes = placement.to_picture(candidates.boxes[kept], frame.shape[1], frame.shape[0])
        return Detections(boxes, candidates.scores[kept], np.array(self.classes)[candidates.classes[kept]])

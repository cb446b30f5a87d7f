"""What a detector is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pipeline.frame import Image
from pipeline.types import Detections


class Detector(Protocol):
    """A loaded model. One instance is shared by all cameras that use the model with the same settings."""

    @property
    def name(self) -> str:
        """Name of the model in the manifest."""

    @property
    def sha256(self) -> str:
        """Hash of the weights that are loaded, for the decision trace."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names the model can answer."""

    def detect(self, frames: Sequence[Image]) -> list[Detections]:
        """Find objects in each picture (uint8 [H, W, 3] BGR, sizes may differ), in one batch.

        Answers in the order given, boxes in pixels of each picture, best score first. The same picture
        gives the same answer whatever it is batched with (within float tolerance).
        """

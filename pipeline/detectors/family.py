"""What a family of networks is: how to recognise one of its files, and how to load it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from pipeline.detectors.base import Detector
from pipeline.detectors.manifest import Model, Threshold
from pipeline.detectors.session import Runtime, Session

Loader: TypeAlias = Callable[[Model, Threshold, Runtime], Detector]
"""Builds the detector of one model, or raises ModelError when the file is not of the family."""


@dataclass(frozen=True, slots=True)
class Description:
    """What a file says of itself: class names, and the largest input it was made for, pixels."""

    classes: tuple[str, ...]
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Family:
    """A way of reading networks. A plugin's entry point is one of these; its name is the family's name.

    `describe` answers None when the file's metadata does not tell that it is of this family.
    """

    load: Loader
    describe: Callable[[Session], Description | None]

"""Text recognition of single lines with the PP-OCR network that comes with rapidocr."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.detectors.plates.formats import ALPHABET
from pipeline.detectors.plates.lattice import Lattice
from pipeline.detectors.session import Runtime, open_session
from pipeline.errors import ModelError
from pipeline.frame import Image

HEIGHT = 48
"""Height of a line in the network's input, pixels."""

STEP = 8
"""Pixels of the input's width for each step of the answer."""

WIDTHS = 32
"""Widths are padded up to a multiple of this, so that lines of like width run as one batch."""

LARGEST_BATCH = 8
MARKS = " -.·•:,_'*—–・。~|"
BLANK = 0


class LineRecogniser:
    """Reads text lines with the network that comes with rapidocr. See Recogniser.

    One network call serves many lines; each line's answer does not depend on the others.

    Raises:
        ModelError: rapidocr's recognition weights are missing or are not what is expected.
        ProviderError: the provider asked for is not there.
    """

    whole = False

    def __init__(self, runtime: Runtime) -> None:
        path = _weights()
        self.name = path.stem
        self.sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        self._session = open_session(path, runtime)
        characters = self._session.metadata.get("character", "").split("\n")
        if ALPHABET[0] not in characters:
            raise ModelError(f"{path}: the recognition model carries no dictionary: reinstall rapidocr")
        self._names = ["", *characters, " "]
        self._columns, self._fold = _folding(self._names)

    def recognise(self, lines: Sequence[Image], stretch: float = 1.0) -> list[Lattice]:
        """Read line pictures (uint8 [H, W, 3] BGR), each scaled to the network's height.

        `stretch` widens the lines; a little above 1 keeps doubled narrow signs apart.
        """
        answers: dict[int, Lattice] = {}
        groups: defaultdict[int, list[int]] = defaultdict(list)
        widths = [max(STEP, round(HEIGHT * line.shape[1] / line.shape[0] * stretch)) for line in lines]
        for index, width in enumerate(widths):
            groups[-(-width // WIDTHS) * WIDTHS].append(index)
        for padded, members in sorted(groups.items()):
            for start in range(0, len(members), LARGEST_BATCH):
                batch = members[start : start + LARGEST_BATCH]
                blob = np.zeros((len(batch), 3, HEIGHT, padded), np.float32)
                for plane, index in zip(blob, batch, strict=True):
                    plane[:, :, : widths[index]] = _normalised(lines[index], widths[index])
                found = self._session.run(blob)[0]
                for index, steps in zip(batch, found, strict=True):
                    answers[index] = self._lattice(steps[: -(-widths[index] // STEP)])
        return [answers[index] for index in range(len(lines))]

    def _lattice(self, steps: npt.NDArray[np.float32]) -> Lattice:
        folded = steps[:, self._columns].astype(np.float64) @ self._fold
        return Lattice(folded[:, :-1], folded[:, -1], steps[:, BLANK].astype(np.float64), self._greedy(steps))

    def _greedy(self, steps: npt.NDArray[np.float32]) -> str:
        """The unconstrained reading: the likeliest sign of each step, repeats and blanks left out."""
        likeliest = steps.argmax(1)
        new = likeliest[np.diff(likeliest, prepend=BLANK) != 0]
        return "".join(self._names[sign] for sign in new if sign != BLANK)


def _weights() -> Path:
    folder = Path(str(files("rapidocr"))) / "models"
    found = sorted(folder.glob("*_rec_*.onnx"))
    if not found:
        raise ModelError(f"{folder}: no recognition weights (*_rec_*.onnx): reinstall rapidocr")
    return found[-1]


def _folding(names: Sequence[str]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """Which of the network's signs [S] count, and how they add up to ALPHABET and marks, [S, 37]."""
    rows: list[tuple[int, int]] = []
    for number, name in enumerate(names):
        plain = name.upper().replace("Đ", "D")
        if name in MARKS and name:
            rows.append((number, len(ALPHABET)))
        elif len(plain) == 1 and plain in ALPHABET:
            rows.append((number, ALPHABET.index(plain)))
    fold = np.zeros((len(rows), len(ALPHABET) + 1))
    fold[np.arange(len(rows)), [target for _, target in rows]] = 1
    return np.array([number for number, _ in rows]), fold


def _normalised(line: Image, width: int) -> npt.NDArray[np.float32]:
    shrink = line.shape[0] > HEIGHT
    scaled = cv2.resize(line, (width, HEIGHT), interpolation=cv2.INTER_AREA if shrink else cv2.INTER_LINEAR)
    return np.asarray(scaled.transpose(2, 0, 1) / np.float32(127.5) - 1, np.float32)

"""Recognition of whole plates by networks of the fast-plate-ocr project: one probability per sign and slot."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from pipeline.detectors.manifest import Model, PlateText, verify
from pipeline.detectors.plates.formats import ALPHABET, normalise
from pipeline.detectors.plates.lattice import Lattice
from pipeline.detectors.session import Network, Runtime
from pipeline.errors import ModelError
from pipeline.frame import Image

FAMILY = "fast-plate-ocr"

INTERPOLATIONS = {
    "nearest": cv2.INTER_NEAREST,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
    "area": cv2.INTER_AREA,
    "lanczos4": cv2.INTER_LANCZOS4,
}

_TYPES: dict[str, type[np.uint8 | np.float32]] = {"tensor(uint8)": np.uint8, "tensor(float)": np.float32}


class SlotRecogniser:
    """Reads plates that have not been cut into lines, of any layout that the network was trained on.

    The network takes pixels of 0 to 255, uint8 or float32, [N, H, W, C] or [N, C, H, W], and answers probabilities
    [N, slots, signs] or [N, slots * signs] under the name `plate`, or as its first output; other heads, such as
    `region`, are left alone. It runs in onnxruntime whatever the provider of the detectors, except CUDA.

    Raises:
        ModelError: the weights are missing or altered, no recogniser, or do not fit the manifest's `plate`.
        ProviderError: the provider asked for is not there.
    """

    whole = True

    def __init__(self, model: Model, runtime: Runtime) -> None:
        if model.entry.plate is None:
            raise ModelError(f"model {model.name!r} is a detector, no recogniser of plates")
        verify(model)
        self.name, self.sha256 = model.name, model.sha256
        self._plate = model.entry.plate
        self._network = Network(
            model.path, Runtime("cpu", runtime.threads) if runtime.provider == "openvino" else runtime
        )
        self._dtype, self._channels_first, self._batch = self._input()
        names = [output.name for output in self._network.session.get_outputs()]
        self._output = "plate" if "plate" in names else names[0]
        self._fold = _folding(self._plate.alphabet, self._plate.pad_char)
        self._run([np.zeros((8, 16, 3), np.uint8)])

    def recognise(self, plates: Sequence[Image], stretch: float = 1.0) -> list[Lattice]:  # noqa: ARG002
        """Read plate pictures (uint8 [H, W, 3] BGR): a lattice of one step for each slot, with blanks between."""
        size = self._batch or len(plates)
        batches = [plates[start : start + size] for start in range(0, len(plates), size)] if plates else []
        return [self._lattice(slots) for batch in batches for slots in self._run(batch)]

    def _input(self) -> tuple[type[np.uint8 | np.float32], bool, int | None]:
        """Element type, whether channels come first, and the fixed batch, if it is one."""
        plate, inputs = self._plate, self._network.session.get_inputs()
        shape = [value if isinstance(value, int) else None for value in inputs[0].shape]
        channels = 3 if plate.image_color_mode == "rgb" else 1
        last, first = [plate.img_height, plate.img_width, channels], [channels, plate.img_height, plate.img_width]
        if len(inputs) == 1 and inputs[0].type in _TYPES and len(shape) == 4:
            for layout in (last, first):
                if all(given in (None, wanted) for given, wanted in zip(shape[1:], layout, strict=True)):
                    return _TYPES[inputs[0].type], layout is first, shape[0]
        taken = ", ".join(f"{one.name} {one.type} {one.shape}" for one in inputs)
        raise ModelError(
            f"{self._network.path}: expected one input, uint8 or float {['N', *last]}, by the manifest's `plate`; "
            f"it takes {taken}"
        )

    def _run(self, plates: Sequence[Image]) -> npt.NDArray[np.float64]:
        """Probabilities [N, slots, signs]."""
        blob = np.stack([_fitted(plate, self._plate) for plate in plates])
        if self._batch and len(plates) < self._batch:
            blob = np.concatenate([blob, np.zeros((self._batch - len(plates), *blob.shape[1:]), blob.dtype)])
        if self._channels_first:
            blob = blob.transpose(0, 3, 1, 2)
        (answer,) = self._network.run([self._output], blob.astype(self._dtype))
        slots, signs = self._plate.max_plate_slots, len(self._plate.alphabet)
        if answer.size != len(blob) * slots * signs:
            raise ModelError(
                f"{self._network.path}: expected {slots} slots of {signs} signs, by the manifest's `plate`; "
                f"output {self._output!r} is {answer.shape}"
            )
        return np.asarray(answer.reshape(len(blob), slots, signs)[: len(plates)], np.float64)

    def _lattice(self, slots: npt.NDArray[np.float64]) -> Lattice:
        folded = slots @ self._fold
        steps = np.zeros((2 * len(folded) - 1, folded.shape[1]))
        steps[1::2, -1] = 1.0  # a blank between the slots, so that a sign may follow itself
        steps[::2] = folded
        plate = self._plate
        raw = "".join(plate.alphabet[sign] for sign in slots.argmax(1)).rstrip(plate.pad_char)
        return Lattice(steps[:, :-2], steps[:, -2], steps[:, -1], raw)


def _folding(alphabet: str, pad: str) -> npt.NDArray[np.float64]:
    """How the network's signs [S] add up to ALPHABET, marks and blank, [S, 38]."""
    fold = np.zeros((len(alphabet), len(ALPHABET) + 2))
    for number, sign in enumerate(alphabet):
        plain = normalise(sign)
        if sign == pad:
            fold[number, -1] = 1
        else:
            fold[number, ALPHABET.index(plain) if len(plain) == 1 else -2] = 1
    return fold


def _fitted(picture: Image, plate: PlateText) -> npt.NDArray[np.uint8]:
    """A picture in the network's size and colours, uint8 [H, W, C]."""
    grey = plate.image_color_mode == "grayscale"
    coloured = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY if grey else cv2.COLOR_BGR2RGB)
    height, width = coloured.shape[:2]
    scale = min(plate.img_height / height, plate.img_width / width)
    size = (plate.img_width, plate.img_height)
    if plate.keep_aspect_ratio:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
    scaled = cv2.resize(coloured, size, interpolation=INTERPOLATIONS[plate.interpolation])
    across, down = (plate.img_width - size[0]) / 2, (plate.img_height - size[1]) / 2
    padding = plate.padding_color if isinstance(plate.padding_color, tuple) else (plate.padding_color,) * 3
    placed = cv2.copyMakeBorder(
        scaled,
        round(down - 0.1),
        round(down + 0.1),
        round(across - 0.1),
        round(across + 0.1),
        cv2.BORDER_CONSTANT,
        value=padding,
    )
    return np.asarray(placed, np.uint8).reshape(plate.img_height, plate.img_width, -1)

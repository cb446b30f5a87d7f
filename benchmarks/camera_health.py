"""False and true alerts of camera health on real footage.

    python -m benchmarks.camera_health CLIP ...

Each clip is looped to a quarter of an hour of pictures two seconds apart. For five minutes it is as it is, then
for five minutes each picture is changed, then as it is again. Some changes are faults, which one alert must name and
end; the others are weather and traffic, of which none may be told.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np

from pipeline.config.operation import HealthConfig
from pipeline.frame import Frame, Image
from pipeline.health import CameraHealth
from pipeline.sources import Recording
from pipeline.types import CameraAlert

START = datetime(2026, 11, 22, tzinfo=UTC)
EVERY, PHASE = 2, 150
"""Seconds between two looks, and looks in each of the three phases."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is done to the n-th picture of the middle phase, and the alert that must come of it; "" for none."""

    alert: str
    apply: Callable[[Image, int], Image]


def clipped(values: object) -> Image:
    return np.asarray(np.clip(np.asarray(values), 0, 255), np.uint8)


def as_it_is(image: Image, number: int) -> Image:  # noqa: ARG001
    return image


def scaled(factor: float, offset: float = 0.0) -> Callable[[Image, int], Image]:
    return lambda image, number: clipped(image * np.float32(factor) + offset)


def blurred(sigma: float) -> Callable[[Image, int], Image]:
    """`sigma` in pixels of a picture 640 wide."""
    return lambda image, number: clipped(cv2.GaussianBlur(image, (0, 0), sigma * image.shape[1] / 640))


def turned(degrees: float, across: float = 0.0, down: float = 0.0) -> Callable[[Image, int], Image]:
    def apply(image: Image, number: int) -> Image:  # noqa: ARG001
        height, width = image.shape[:2]
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
        matrix[:, 2] += (round(across * width), round(down * height))
        turned = cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_REFLECT)
        return clipped(turned)

    return apply


def shaken(image: Image, number: int) -> Image:
    return turned(0, 0.004 * np.sin(number * 2.1), 0.004 * np.cos(number * 1.3))(image, number)


def dazzled(image: Image, number: int) -> Image:  # noqa: ARG001
    """The low sun in the middle of the picture."""
    height, width = image.shape[:2]
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    distance = ((across / width - 0.5) / 0.45) ** 2 + ((down / height - 0.4) / 0.5) ** 2
    return clipped(image + 300 * np.exp(-distance)[..., None])


def covered(image: Image, number: int) -> Image:  # noqa: ARG001
    """A cloth or paint on the lens: some light, no shapes."""
    height, width = image.shape[:2]
    few = cv2.GaussianBlur(cv2.resize(scaled(0.3, 60)(image, 0), (96, 54), interpolation=cv2.INTER_AREA), (0, 0), 8)
    return clipped(cv2.resize(few, (width, height), interpolation=cv2.INTER_CUBIC))


def noisy(image: Image, number: int, amount: float = 12) -> Image:
    noise = np.random.default_rng(number).normal(0, amount, image.shape[:2])
    return clipped(image + noise[..., None])


def rainy(image: Image, number: int) -> Image:
    random = np.random.default_rng(number)
    drops = np.array(image)
    height, width = image.shape[:2]
    for _ in range(width // 4):
        left, top = int(random.integers(width)), int(random.integers(height))
        cv2.line(drops, (left, top), (left + 2, top + height // 20), (200, 200, 200), 1)
    return clipped(0.75 * drops + 30)


def lightning(image: Image, number: int) -> Image:
    return scaled(3, 80)(image, number) if number % 8 == 0 else scaled(0.3)(image, number)


def lorry(image: Image, number: int) -> Image:
    """For 16 of every 60 seconds a lorry stands before most of the picture."""
    if number % 30 >= 8:
        return image
    blocked = np.array(image)
    height, width = image.shape[:2]
    blocked[height // 8 :, width // 6 :] = (90, 95, 100)
    return blocked


def infrared(image: Image, number: int) -> Image:
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    return noisy(clipped(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR) * 0.8 + 30), number, 6)


def coarse(image: Image, number: int) -> Image:  # noqa: ARG001
    """Compressed hard, as a camera does when the network is slow."""
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 25])
    return clipped(cv2.imdecode(data, cv2.IMREAD_COLOR))


CHANGES = {
    "as it is": Change("", as_it_is),
    "dusk": Change("", scaled(0.4)),
    "night with noise": Change("", lambda image, number: noisy(scaled(0.25)(image, 0), number, 5)),
    "infrared light": Change("", infrared),
    "cloud": Change("", lambda image, number: scaled(0.75 + 0.2 * np.sin(number / 7))(image, number)),
    "mist": Change("", scaled(0.6, 70)),
    "rain": Change("", rainy),
    "lightning": Change("", lightning),
    "lorry": Change("", lorry),
    "wind": Change("", shaken),
    "hard compression": Change("", coarse),
    "no light": Change("dark", scaled(0.04)),
    "low sun": Change("blinded", dazzled),
    "cloth": Change("blinded", covered),
    "blurred, 1.5 px": Change("defocused", blurred(1.5)),
    "blurred, 4 px": Change("defocused", blurred(4)),
    "shifted by 3 %": Change("moved", turned(0, 0.03)),
    "shifted by 10 %": Change("moved", turned(0, 0.08, 0.06)),
    "turned by 5°": Change("moved", turned(5)),
    "turned away": Change("moved", lambda image, number: clipped(image[:, ::-1])),
}


def pictures(clip: Path) -> list[Image]:
    """One picture a second."""
    source = Recording(clip, "clip", 1.0, start=START)
    return [frame.image for frame in source.frames(lambda packet: None)]


def alerts(images: list[Image], change: Change | None) -> Iterator[CameraAlert]:
    """What is told of the looped pictures; None freezes the middle phase."""
    health = CameraHealth("clip", HealthConfig(every=EVERY))
    frozen = noisy(images[0], 0, 0)
    for number in range(3 * PHASE):
        image = images[number % len(images)]
        if PHASE <= number < 2 * PHASE:
            image = frozen if change is None else change.apply(image, number)
        yield from health.look(Frame("clip", number, START + timedelta(seconds=EVERY * number), image))


def verdict(told: list[CameraAlert], wanted: str) -> str:
    """What was told, and after how many seconds of the change; a good verdict has nothing in brackets."""
    began = START + timedelta(seconds=EVERY * PHASE)
    kinds = sorted({alert.kind for alert in told})
    if not wanted:
        return "quiet" if not kinds else f"({', '.join(kinds)})"
    mine = [alert for alert in told if alert.kind == wanted]
    others = [kind for kind in kinds if kind != wanted]
    if not mine:
        return f"(missed{': ' if others else ''}{', '.join(others)})"
    ended = any(alert.end is not None for alert in mine)
    early = mine[0].start < began
    notes = [*others, *([] if ended else ["never ended"]), *(["early"] if early else [])]
    return wanted + (f" ({', '.join(notes)})" if notes else "")


def main() -> None:
    cv2.setNumThreads(1)
    began, looks = 0.0, 0
    for clip in map(Path, sys.argv[1:]):
        images = pictures(clip)
        print(f"{clip.name}: {len(images)} pictures of {images[0].shape[1]}×{images[0].shape[0]}", flush=True)
        for name, change in {**CHANGES, "frozen": None}.items():
            wanted = "frozen" if change is None else change.alert
            started = perf_counter()
            told = list(alerts(images, change))
            began, looks = began + perf_counter() - started, looks + 3 * PHASE
            print(f"    {name:18} {verdict(told, wanted)}", flush=True)
    print(f"{began / looks * 1e3:.2f} ms a picture, with its changes")


if __name__ == "__main__":
    main()

"""Fire and smoke: layered noise carried upward, coloured like a hot body, and puffs that rise, spread and fade."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from samples import Sighting
from samples.rendering.camera import Floats
from samples.rendering.raster import Canvas, Pixels
from samples.rendering.scenery import Noise

# Heat 0–1 to light, BGR: deep red, orange, yellow, nearly white.
_HEAT = np.array([0.0, 0.2, 0.4, 0.65, 0.85, 1.0])
_LIGHT = np.array(
    [(0.0, 0.01, 0.1), (0.01, 0.1, 0.9), (0.02, 0.4, 2.0), (0.08, 1.0, 2.7), (0.6, 2.4, 3.6), (1.6, 3.6, 4.2)]
)


@dataclass(frozen=True, slots=True)
class Tongue:
    """One seat of the fire: place in metres, when it catches (seconds), its full width and height in metres."""

    x: float
    y: float
    z: float
    catches: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Smoke:
    """Looks of the smoke: `soot` is the albedo of fresh smoke and `fading` how much lighter it gets in a second;
    `relief` its lumps and `softness` its edges, relative to a puff's size; `size` scales the puffs; `rise` and
    `wind` in m/s; `spread` in m/s to the sides; `density` 0–1; `rate` in puffs a second."""

    soot: float = 0.32
    fading: float = 0.66
    relief: float = 0.24
    softness: float = 0.56
    size: float = 0.97
    rise: float = 1.1
    spread: float = 0.15
    density: float = 0.95
    rate: float = 18.0
    wind: float = -0.6


SMOULDER = Smoke()


@dataclass(frozen=True, slots=True, eq=False)
class Blaze:
    """A fire that grows over `growth` seconds from its first tongue, and the smoke it gives off.

    `fire` and `smoke` are the ids of the two in the truth.
    """

    tongues: Sequence[Tongue]
    growth: float
    fire: int
    smoke: int
    seed: int
    looks: Smoke = SMOULDER

    @property
    def start(self) -> float:
        return min(tongue.catches for tongue in self.tongues)

    def __call__(self, canvas: Canvas, time: float) -> list[Sighting]:
        """Paint the fire at this time in seconds, and say where it is seen."""
        if time < self.start:
            return []
        noise = Noise(self.seed)
        self._light_up(canvas, time)
        seen: list[Sighting] = []
        thick = self._smoke(canvas, time, noise)
        hot = np.zeros(canvas.owner.shape, np.float32)
        for index, tongue in enumerate(self.tongues):
            if time >= tongue.catches:
                self._flame(canvas, tongue, time, noise, 17.0 * index, hot)
        self._bloom(canvas, hot)
        for identity, mask in ((self.fire, hot > 0.5), (self.smoke, thick > 0.28)):
            box = _bounds(mask)
            if box is not None:
                seen.append(Sighting(identity, box, 1.0))
        return seen

    def _size(self, tongue: Tongue, time: float) -> float:
        """Share of its full size that a tongue has reached."""
        return float(np.clip((time - tongue.catches) / self.growth, 0, 1) ** 0.7 * 0.82 + 0.18)

    def _light_up(self, canvas: Canvas, time: float) -> None:
        """The glow on everything around, flickering."""
        rows, columns = np.indices(canvas.owner.shape, np.float32)
        for tongue in self.tongues:
            if time < tongue.catches:
                continue
            size = self._size(tongue, time)
            pixels, depth = canvas.camera.project(np.array([(tongue.x, tongue.y, tongue.z * 0.6)]))
            reach = canvas.camera.focal / depth[0] * 1.9 * size * tongue.height
            flicker = 0.85 + 0.1 * np.sin(time * 19 + tongue.x) + 0.07 * np.sin(time * 31 + 2 * tongue.x)
            near = np.exp(-(((columns - pixels[0, 0]) / reach) ** 2) - ((rows - pixels[0, 1]) / (0.8 * reach)) ** 2)
            canvas.pixels *= 1 + (0.6 * size * flicker * near)[..., None] * np.array([0.1, 0.55, 1.3], np.float32)

    def _flame(self, canvas: Canvas, tongue: Tongue, time: float, noise: Noise, shift: float, hot: Pixels) -> None:
        size = self._size(tongue, time)
        width, height = tongue.width * size, tongue.height * size
        camera = canvas.camera
        foot, depth = camera.project(np.array([(tongue.x, tongue.y, tongue.z)]))
        scale = camera.focal / depth[0]
        left, right = int(foot[0, 0] - scale * width), int(foot[0, 0] + scale * width) + 1
        top, bottom = int(foot[0, 1] - scale * height * 1.25), int(foot[0, 1] + scale * height * 0.08) + 1
        left, top, right, bottom = max(left, 0), max(top, 0), min(right, camera.width), min(bottom, camera.height)
        if right <= left or bottom <= top:
            return
        rows, columns = np.mgrid[top:bottom, left:right]
        across = ((columns + 0.5 - foot[0, 0]) / (scale * width)).ravel()
        up = ((foot[0, 1] - rows - 0.5) / (scale * height)).ravel()
        heat = _heat(across, up, time, noise, shift, height).reshape(rows.shape)
        light = np.stack([np.interp(heat, _HEAT, _LIGHT[:, channel]) for channel in range(3)], axis=-1).astype(
            np.float32
        )
        cover = np.clip((heat - 0.03) / 0.3, 0, 1).astype(np.float32)
        cover = cover * cover * (3 - 2 * cover)
        area = canvas.pixels[top:bottom, left:right]
        area *= 1 - 0.8 * cover[..., None]
        area += light * cover[..., None]
        np.maximum(hot[top:bottom, left:right], cover, out=hot[top:bottom, left:right])

    @staticmethod
    def _bloom(canvas: Canvas, hot: Pixels) -> None:
        """Light that spreads in the lens around what is very bright."""
        small = cv2.resize(hot[..., None] * canvas.pixels, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
        halo = 0.3 * cv2.GaussianBlur(small, (0, 0), 2.5) + 0.15 * cv2.GaussianBlur(small, (0, 0), 8)
        canvas.pixels += cv2.resize(halo, (hot.shape[1], hot.shape[0]), interpolation=cv2.INTER_LINEAR)

    def _smoke(self, canvas: Canvas, time: float, noise: Noise) -> Pixels:
        """Paint the puffs born so far; answers how thick the smoke is at each pixel, 0–1."""
        thick = np.zeros(canvas.owner.shape, np.float32)
        looks, life = self.looks, 7.0
        first = max(0, int((time - life - self.start) * looks.rate))
        for number in range(first, int((time - self.start) * looks.rate) + 1):
            born = self.start + number / looks.rate
            random = np.random.default_rng([self.seed, number])
            burning = [tongue for tongue in self.tongues if tongue.catches <= born]
            tongue = burning[int(random.integers(len(burning)))]
            age, size = max(0.0, time - born), self._size(tongue, born)
            spread = random.normal(0, 1, 2) * (0.15 * tongue.width + looks.spread * age)
            place = np.array(
                [
                    tongue.x + spread[0] + looks.wind * age,
                    tongue.y + 0.1,
                    tongue.z
                    + tongue.height * size * 0.5
                    + looks.rise * (0.6 + 0.4 * size) * age**0.9
                    + 0.5 * spread[1],
                ]
            )
            radius = looks.size * (0.24 + 0.27 * age**0.85) * (0.85 + 0.4 * size) * random.uniform(0.7, 1.25)
            opacity = looks.density * min(1.0, age * 2.5 + 0.2) * np.exp(-((age / 6.5) ** 2)) * (0.8 + 0.2 * size)
            shade = looks.soot * (1 + looks.fading * age) * random.uniform(0.8, 1.2)
            self._puff(canvas, place, radius, opacity, shade, noise, (number, age), thick)
        return thick

    def _puff(
        self, canvas: Canvas, place: Floats, radius: float, opacity: float, shade: float, noise: Noise,
        form: tuple[int, float], thick: Pixels,
    ) -> None:  # fmt: skip
        camera, (number, age) = canvas.camera, form
        middle, depth = camera.project(place[None])
        reach = camera.focal / depth[0] * radius
        left, right = max(0, int(middle[0, 0] - reach)), min(camera.width, int(middle[0, 0] + reach) + 1)
        top, bottom = max(0, int(middle[0, 1] - reach)), min(camera.height, int(middle[0, 1] + reach) + 1)
        if right <= left or bottom <= top:
            return
        rows, columns = np.mgrid[top:bottom, left:right]
        x, y = ((columns - middle[0, 0]) / reach).ravel(), ((rows - middle[0, 1]) / reach).ravel()

        def lumps(dx: float, dy: float) -> Floats:
            return self.looks.relief * (
                0.20 * noise((x + dx) * 1.9 + number * 3.7, (y + dy) * 1.9 + age * 0.4, 1.0)
                + 0.11 * noise((x + dx) * 4.3 + number, (y + dy) * 4.3 + age * 0.7, 1.0)
                + 0.05 * noise((x + dx) * 9.1 + number * 1.3, (y + dy) * 9.1 + age * 1.1, 1.0)
            )

        relief = lumps(0, 0)
        distance = np.hypot(x, y)
        edge = np.clip(1 - np.maximum(np.abs(x), np.abs(y)), 0, 0.15) / 0.15
        body = np.clip((0.54 + self.looks.softness - distance + relief) / self.looks.softness, 0, 1) * edge
        cover = (opacity * body * body * (3 - 2 * body)).reshape(rows.shape).astype(np.float32)
        # A ball with lumps on it: its slope against the sun's direction in the picture.
        slope_x, slope_y = x * 0.8 - (lumps(0.06, 0) - relief) * 5, y * 0.8 - (lumps(0, 0.06) - relief) * 5
        rise = np.sqrt(np.clip(1.2 - slope_x**2 - slope_y**2, 0.05, None))
        lit = np.clip(-0.55 * slope_x - 0.65 * slope_y + 0.5 * rise, 0, 1.4).reshape(rows.shape)
        light = shade * (np.array(canvas.light.sky) * 0.8 + lit[..., None] * np.array(canvas.light.sunlight))
        area = canvas.pixels[top:bottom, left:right]
        area *= 1 - cover[..., None]
        area += cover[..., None] * light.astype(np.float32)
        part = thick[top:bottom, left:right]
        part += (1 - part) * cover


def _heat(across: Floats, up: Floats, time: float, noise: Noise, shift: float, height: float) -> Floats:
    """Heat 0–1 over a flame: `across` runs from -1 to 1, `up` from 0 at its foot to 1 at its usual tip."""
    # Small flames flicker faster than tall ones, as the square root of their size.
    pace = 2.3 / np.sqrt(max(height, 0.3))
    rising = time * pace
    high = np.clip(up, 0, 1.4)
    # Air is drawn in from the sides and throws the flame about, the more the higher up.
    sway = 0.34 * high * noise(np.full_like(up, shift + time * 0.9), up * 1.2 - rising * 0.9, 1.0)
    curl = 0.16 * np.sqrt(high) * noise(across * 2.5 + shift, up * 2.2 - rising * 1.5, 1.0)
    bent = across + sway + curl
    width = (0.5 + 0.25 * np.sqrt(high)) * np.clip(1.25 - up, 0.02, 1) ** 0.8
    # Licks are drawn out upward: they change faster across the flame than along it.
    licks = (
        0.36 * noise(bent * 2.4 + shift, up * 1.2 - rising * 1.0, 1.0)
        + 0.30 * noise(bent * 5.0 + shift * 1.7, up * 2.3 - rising * 1.6, 1.0)
        + 0.18 * noise(bent * 10.0 + shift * 2.3, up * 4.6 - rising * 2.5, 1.0)
        + 0.08 * noise(bent * 20.0 + shift * 2.9, up * 9.0 - rising * 3.4, 1.0)
    )
    core = 0.95 * (1 - (bent / width) ** 2) - 0.5 * high**1.1
    foot = np.clip((up + 0.08) / 0.2, 0, 1)
    heat: Floats = np.clip((core + licks * (0.55 + 0.75 * high)) * foot, 0, 1)
    return heat


def _bounds(mask: npt.NDArray[np.bool_]) -> tuple[float, float, float, float] | None:
    """Box around a mask, without single stray pixels; None when there is next to nothing."""
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    if opened.sum() < 30:
        return None
    left, top, width, height = cv2.boundingRect(opened)
    return float(left), float(top), float(left + width), float(top + height)

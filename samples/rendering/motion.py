"""How actors move: along a lane, or on foot from place to place."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

Pose = tuple[float, float, float]


def drive(
    lane: float,
    start: float,
    speed: float,
    *,
    begin: float = 0.0,
    end: float = 1e9,
    near: float = 0.0,
    far: float = 120.0,
    sway: float = 0.0,
    phase: float = 0.0,
    stop: tuple[float, float] | None = None,
) -> Callable[[float], Pose | None]:
    """Along y in the lane at x = `lane`: at `start` metres at time `begin`, `speed` m/s, negative toward the camera.

    Absent before `begin` and after `end` seconds, and outside `near`–`far` metres. `sway` is a slow drift to the
    sides in metres. `stop` = (from, to) seconds: waits there, braking and pulling away over a second each.
    """

    def pose(time: float) -> Pose | None:
        if not begin <= time < end:
            return None
        moving = time - begin - (_held(time, *stop) if stop else 0.0)
        y = start + speed * moving
        if not near <= y <= far:
            return None
        x = lane + sway * np.sin(0.7 * moving + phase)
        drift = sway * 0.7 * np.cos(0.7 * moving + phase)
        heading = float(np.degrees(np.arctan2(drift, speed)))
        return float(x), float(y), heading

    return pose


def _held(time: float, since: float, until: float) -> float:
    """Seconds lost to a stop, with a linear slowing down and speeding up of one second each."""
    if time <= since - 1:
        return 0.0
    slowing = min(time - (since - 1), 1.0)
    lost = slowing**2 / 2
    lost += max(0.0, min(time, until) - since)
    if time > until:
        going = min(time - until, 1.0)
        lost += going - going**2 / 2
    return lost


def walk(
    places: Sequence[tuple[float, float]], times: Sequence[float], facing: float | None = None
) -> tuple[Callable[[float], Pose | None], Callable[[float], tuple[float, float]]]:
    """On foot through `places` (x, y) reached at `times`; two equal places in a row are a wait.

    Answers the pose, and the gait: (phase in radians, stride 0–1). Absent outside the first and last time.
    While waiting the person turns to `facing` degrees, or keeps looking ahead.
    """
    points, moments = np.asarray(places, np.float64), np.asarray(times, np.float64)
    lengths = np.linalg.norm(np.diff(points, axis=0), axis=1)
    travelled = np.concatenate([[0.0], np.cumsum(lengths)])

    def segment(time: float) -> int:
        return int(np.clip(np.searchsorted(moments, time, side="right") - 1, 0, len(lengths) - 1))

    def heading(index: int) -> float:
        if lengths[index] < 1e-6:
            if facing is not None:
                return facing
            return heading(index - 1) if index else 180.0
        step = points[index + 1] - points[index]
        return float(np.degrees(np.arctan2(step[0], step[1])))

    def pose(time: float) -> Pose | None:
        if not moments[0] <= time <= moments[-1]:
            return None
        index = segment(time)
        turn = heading(index)
        if index:
            before = heading(index - 1)
            share = float(np.clip((time - moments[index]) / 0.6, 0, 1))
            turn = before + ((turn - before + 180) % 360 - 180) * share
        x, y = (float(np.interp(time, moments, points[:, axis])) for axis in (0, 1))
        return x, y, turn

    def gait(time: float) -> tuple[float, float]:
        distance = float(np.interp(time, moments, travelled))
        index = segment(time)
        speed = lengths[index] / max(moments[index + 1] - moments[index], 1e-6)
        return distance / 0.68 * np.pi + points[0, 0], float(np.clip(speed / 1.2, 0, 1))

    return pose, gait

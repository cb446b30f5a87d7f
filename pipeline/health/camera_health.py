"""One camera's health, from looks at its pictures a second or two apart."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np

from pipeline.config.operation import HealthConfig
from pipeline.frame import Frame
from pipeline.health.alarm import Alarm, Verdict
from pipeline.health.look import Edges, Look, Setting
from pipeline.health.reference import Reference
from pipeline.types import CameraAlert

SEEN = ("dead", "frozen", "dark", "blinded", "defocused", "moved")
KINDS = (*SEEN, "skewed")

SAME_PIXEL = 3
SAME_SHARE = 0.002
"""Two pictures are the same when fewer pixels than this part differ by SAME_PIXEL of 255 or more."""
DARK = 25.0
"""Highlight below which there is no light; a street at night has lamps."""
GLARE, MORE_GLARE = 0.35, 0.25
"""Blinded by light: so much of the picture is saturated, and so much more than usual."""
VEILED = 0.35
"""Blinded by a thing: the contrast is below this part of the usual, and the usual edges are gone."""
BLURRED = 0.4
"""Defocused: the sharpness is below this part of the usual."""
ELSEWHERE = 0.6
"""Moved: the edges match less than this part of what is usual ..."""
SHIFT, SHIFT_SURE, SHIFTED_MATCH = 0.02, 0.2, 0.85
"""... or they match less than usual and are shifted by more than this part of the width."""
RECENT = 5
"""Looks whose mean edges are compared, so that what passes by does not count."""
SKEWED_SECONDS = 60.0
"""Skewed: the camera's clock is off for so long."""
UNKNOWN = Verdict(None, 0.0, 0.0)


class CameraHealth:
    """Finds a frozen, dark, blinded, defocused or moved camera in its pictures, a dead one in their absence, and a
    skewed one by what it tells of its clock.

    The camera is compared with itself: with how it looked in the same kind of light, and of the same size, while it
    was well. Each such setting is learnt for some looks first, in which the last three faults are not found.
    """

    def __init__(self, camera: str, settings: HealthConfig) -> None:
        self._every = timedelta(seconds=settings.every)
        self._alarms = {kind: Alarm(camera, kind, getattr(settings, kind)) for kind in SEEN}
        self._alarms["skewed"] = Alarm(camera, "skewed", SKEWED_SECONDS if settings.skewed else 0.0)
        self._most_skew = settings.skewed
        self._dead_after = settings.dead
        self._references: dict[Setting, Reference] = {}
        self._recent: deque[Edges] = deque(maxlen=RECENT)
        self._sharpness: deque[float] = deque(maxlen=RECENT)
        self._last: datetime | None = None
        self._setting: Setting | None = None
        self._before: Look | None = None

    @property
    def lasting(self) -> tuple[CameraAlert, ...]:
        """The alerts that last."""
        return tuple(alarm.lasting for alarm in self._alarms.values() if alarm.lasting)

    def look(self, frame: Frame) -> tuple[CameraAlert, ...]:
        """Look at a frame if it is time to; the alerts that begin or end with it."""
        if self._last is not None and timedelta() <= frame.time - self._last < self._every:
            return ()
        self._last = frame.time
        return self.judge(frame.time, Look.at(frame.image))

    def judge(self, time: datetime, look: Look) -> tuple[CameraAlert, ...]:
        """Take one look; the alerts that begin or end with it."""
        verdicts = dict(self._verdicts(look))
        changes = [self._alarms[kind].update(time, verdict) for kind, verdict in verdicts.items()]
        if not any(verdict.bad for verdict in verdicts.values()):
            self._references[look.setting].learn(look, self._mean_edges())
        self._before = look
        return tuple(change for change in changes if change)

    def silence(self, now: datetime, seconds: float, reason: str) -> CameraAlert | None:
        """Tell for how many seconds no picture has come, at least as often as every ten; may begin or end `dead`.

        `now` is the computer's clock, and may be told from another thread than looks are.
        """
        if not self._dead_after:
            return None
        alarm = self._alarms["dead"]
        if alarm.lasting is None and seconds >= self._dead_after:
            return alarm.begin(now - timedelta(seconds=seconds), Verdict(True, seconds, self._dead_after), reason)
        if alarm.lasting is not None and seconds < self._dead_after:
            return alarm.end(now, alarm.lasting.note)
        return None

    def clock(self, now: datetime, ahead: float | None) -> CameraAlert | None:
        """Tell every few seconds how many the camera's own clock is ahead of this computer's, None when it does not
        say; may begin or end `skewed`. As `silence`, from another thread than looks."""
        if ahead is None:
            return None
        note = f"its clock is {abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'} this computer's"
        verdict = Verdict(abs(ahead) > self._most_skew, ahead, self._most_skew)
        return self._alarms["skewed"].update(now, verdict, note)

    def end(self, now: datetime, note: str) -> tuple[CameraAlert, ...]:
        """The camera is watched no more: end what lasts."""
        return tuple(change for alarm in self._alarms.values() if (change := alarm.end(now, note)))

    def _verdicts(self, look: Look) -> Iterator[tuple[str, Verdict]]:
        dark = Verdict(look.highlight < DARK, look.highlight, DARK)
        yield "dark", dark
        reference = self._enter(look)
        self._recent.append(look.edges)
        self._sharpness.append(look.sharpness)
        edges = self._mean_edges()
        if dark.bad:
            return
        blinded = self._blinded(look, edges)
        yield "blinded", blinded
        if blinded.bad:
            return
        yield "frozen", self._frozen(look)
        if not reference.trusted:
            return
        sharpness = max(self._sharpness) / max(reference.sharpness, 1e-6)
        yield "defocused", Verdict(sharpness < BLURRED, sharpness, BLURRED)
        if sharpness >= BLURRED:
            yield "moved", self._moved(reference, edges)

    def _enter(self, look: Look) -> Reference:
        """The reference for this setting; recent edges of another are not compared with it."""
        if look.setting != self._setting:
            self._setting = look.setting
            self._recent.clear()
            self._sharpness.clear()
        return self._references.setdefault(look.setting, Reference())

    def _mean_edges(self) -> Edges:
        return np.asarray(np.mean(self._recent, axis=0), np.float32)

    def _frozen(self, look: Look) -> Verdict:
        before = self._before
        if before is None:
            return UNKNOWN
        if before.pixels.shape != look.pixels.shape:
            return Verdict(False, 1.0, SAME_SHARE)
        change = np.abs(look.pixels.astype(np.int16) - before.pixels)
        share = float(np.mean(change >= SAME_PIXEL))
        return Verdict(share < SAME_SHARE, share, SAME_SHARE)

    def _blinded(self, look: Look, edges: Edges) -> Verdict:
        """Against what is known of this setting or, as something on the lens changes the light, of any other."""
        known = self._references[look.setting]
        if not known.trusted:
            others = [reference for reference in self._references.values() if reference.trusted]
            if not others:
                return UNKNOWN
            known = max(others, key=lambda reference: reference.match(edges))
        limit = max(GLARE, known.glare + MORE_GLARE)
        if look.glare >= limit:
            return Verdict(True, look.glare, limit)
        contrast = look.contrast / max(known.contrast, 1.0)
        return Verdict(contrast < VEILED and known.match(edges) < ELSEWHERE, contrast, VEILED)

    @staticmethod
    def _moved(reference: Reference, edges: Edges) -> Verdict:
        match = reference.match(edges)
        if match < ELSEWHERE or match >= SHIFTED_MATCH:
            return Verdict(match < ELSEWHERE, match, ELSEWHERE)
        shift, sure = reference.shift(edges)
        return Verdict(shift >= SHIFT and sure >= SHIFT_SURE, shift, SHIFT)

"""When the engine cannot keep up: analysis rates fall by declared priority, and rise again."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)

SHARES = (0.75, 0.5, 0.35, 0.25)
"""Parts of their rate that the cameras of one priority are lowered to, one step after the other; no further."""
LEAST_RATE = 1.0
"""Frames a second below which no camera is thinned."""
TOO_MUCH = 0.1
"""Overload: more than this part of the frames is replaced before the engine gets to it ..."""
PATIENCE = 3
"""... in so many windows in a row."""
CALM_REPLACED, CALM_BUSY = 0.02, 0.75
"""Calm: hardly a frame is replaced, and the engine is busy for less than this part of the time."""
RECOVERY = 6
"""Calm windows before a step is taken back. Doubles, up to LONGEST_RECOVERY, each time that proves too early."""
LONGEST_RECOVERY = 60


@dataclass(frozen=True, slots=True)
class Window:
    """What happened in a few seconds: frames that live cameras offered, those replaced by a newer one before they
    were analysed, and the part of the time that the inference workers were busy."""

    offered: int
    replaced: int
    busy: float


class Governor(Generic[Key]):
    """Decides how much of its rate each camera is left. Pure: it sees windows of equal length.

    The cameras of the lowest priority are thinned first, down to the last of SHARES; then those of the next.
    `level` counts the steps taken; 0 is no overload. `spent` says that frames are lost although no camera has anything
    more to give.
    """

    def __init__(self) -> None:
        self.level = 0
        self.spent = False
        self._crowded = self._calm = 0
        self._recovery = RECOVERY
        self._since_recovery: int | None = None

    def observe(self, window: Window, priorities: Mapping[Key, int], rates: Mapping[Key, float]) -> bool:
        """Take the next window; whether what cameras are left has changed. Steps that would change nothing, because
        the cameras that they are for have no more to give, are passed over. Arguments as of `shares`."""
        replaced = window.replaced / window.offered if window.offered else 0.0
        self._crowded = self._crowded + 1 if replaced > TOO_MUCH else 0
        self._calm = self._calm + 1 if replaced < CALM_REPLACED and window.busy < CALM_BUSY else 0
        if self._since_recovery is not None:
            self._since_recovery += 1
        steps = self._steps(priorities, rates)
        taken = max(step for step in steps if step <= self.level)
        self.spent = replaced > TOO_MUCH and taken == steps[-1] and (self.spent or self._crowded >= PATIENCE)
        if self._crowded >= PATIENCE and taken < steps[-1]:
            self._lower(next(step for step in steps if step > taken))
            return True
        if taken < self.level:  # the cameras that the last steps were for are gone
            self.level = taken
            return True
        if self._calm >= self._recovery and taken:
            self.level = max(step for step in steps if step < taken)
            self._calm, self._since_recovery = 0, 0
            return True
        return False

    def shares(self, priorities: Mapping[Key, int], rates: Mapping[Key, float]) -> dict[Key, float]:
        """What each camera is left of its rate, 0-1, by its priority and its rate in frames a second."""
        return self._shares(self.level, priorities, rates)

    @staticmethod
    def _shares(level: int, priorities: Mapping[Key, int], rates: Mapping[Key, float]) -> dict[Key, float]:
        steps = level
        by_priority: dict[int, float] = {}
        for priority in sorted(set(priorities.values())):
            taken = min(steps, len(SHARES))
            by_priority[priority] = SHARES[taken - 1] if taken else 1.0
            steps -= taken
        return {
            key: min(1.0, max(by_priority[priority], LEAST_RATE / rates[key])) for key, priority in priorities.items()
        }

    def _steps(self, priorities: Mapping[Key, int], rates: Mapping[Key, float]) -> list[int]:
        """The levels that leave cameras something else than the level before; 0 is the first."""
        steps, before = [0], self._shares(0, priorities, rates)
        for level in range(1, len(SHARES) * len(set(priorities.values())) + 1):
            shares = self._shares(level, priorities, rates)
            if shares != before:
                steps.append(level)
            before = shares
        return steps

    def _lower(self, level: int) -> None:
        """A step that has to be taken again soon after it was taken back makes the next recovery slower."""
        if self._since_recovery is not None:
            early = self._since_recovery <= 2 * RECOVERY
            self._recovery = min(2 * self._recovery, LONGEST_RECOVERY) if early else RECOVERY
            self._since_recovery = None
        self.level = level
        self._crowded = 0

"""How often somebody may try: sign-ins by address, account and browser; searches and exports by user."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from uuid import UUID, uuid4

from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from api.auth.refusals import Refusal
from api.auth.sealing import BrokenSealError, Seals
from pipeline.access import AccessPolicy

DEVICE = "device"
DEVICE_LASTS = timedelta(days=180)
MOST_USERS = 16
"""Users that one browser is known for; a shared computer of a control room has several."""


class TooOftenError(Refusal):
    """`text` says what was done too often, with `{seconds}` to wait in it."""

    def __init__(self, wait: float, text: str) -> None:
        seconds = max(1, ceil(wait))
        super().__init__(429, text, headers={"Retry-After": str(seconds)}, seconds=seconds)


WRONG_PASSWORDS = "too many wrong passwords; try again in {seconds} s"
ATTEMPTS = "too many attempts; try again in {seconds} s"


class Rates:
    """Counts in this process's memory what was done how often within the last moments."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def count(self, limit: RateLimitItem, *whose: str) -> bool:
        """Count one more; False when there were as many as may be already."""
        return self._limiter.hit(limit, *whose)

    def refuse_above(self, limit: RateLimitItem, *whose: str, text: str) -> None:
        """Raises TooOftenError when there were as many as may be."""
        if not self._limiter.test(limit, *whose):
            raise TooOftenError(self._wait(limit, *whose), text)

    def count_or_refuse(self, limit: RateLimitItem, *whose: str, text: str) -> None:
        """Count one more. Raises TooOftenError when there were as many as may be already."""
        if not self.count(limit, *whose):
            raise TooOftenError(self._wait(limit, *whose), text)

    def _wait(self, limit: RateLimitItem, *whose: str) -> float:
        return self._limiter.get_window_stats(limit, *whose).reset_time - time.time()


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a request comes from: network address, what the program calls itself, and the browser's own seal."""

    address: str = ""
    agent: str = ""
    device: str = ""


@dataclass(frozen=True, slots=True)
class Device:
    """A browser, and the users who have signed in with it."""

    id: str
    users: tuple[str, ...] = ()

    def knows(self, user: UUID | None) -> bool:
        return user is not None and str(user) in self.users


class Lockout:
    """Slows down who guesses, without giving anybody the means to keep another out.

    Wrong passwords lock the account, and they lock the address that they come from. Neither holds for a browser with
    which this user has signed in before: it has a count of its own (device cookies, after OWASP's advice).
    """

    def __init__(self, policy: AccessPolicy, seals: Seals) -> None:
        self._rates = Rates()
        self._seals = seals
        self._tries = RateLimitItemPerMinute(policy.sign_ins_per_minute)
        period = round(policy.lock_time.total_seconds())
        self._wrong_from_address = RateLimitItemPerSecond(policy.failures_of_address, period)
        self._wrong = RateLimitItemPerSecond(policy.failures_until_lock, period)

    def admit(self, caller: Caller, device: Device | None) -> None:
        """Count a try. `device` is given where it knows the user. Raises TooOftenError."""
        if device is not None:
            self._rates.refuse_above(self._wrong, "device", device.id, text=WRONG_PASSWORDS)
            return
        self._rates.count_or_refuse(self._tries, "tries", caller.address, text=ATTEMPTS)
        self._rates.refuse_above(self._wrong_from_address, "address", caller.address, text=WRONG_PASSWORDS)

    def failed(self, caller: Caller, device: Device | None) -> None:
        if device is not None:
            self._rates.count(self._wrong, "device", device.id)
        else:
            self._rates.count(self._wrong_from_address, "address", caller.address)

    def admit_again(self, session: UUID) -> None:
        """For a secret that is asked for within a session. Raises TooOftenError."""
        self._rates.refuse_above(self._wrong, "session", str(session), text=WRONG_PASSWORDS)

    def failed_again(self, session: UUID) -> None:
        self._rates.count(self._wrong, "session", str(session))

    def device_of(self, caller: Caller) -> Device:
        """The browser by its cookie; a new one where it has none of ours."""
        try:
            known = self._seals.open(DEVICE, caller.device, within=DEVICE_LASTS)
        except BrokenSealError:
            return Device(uuid4().hex)
        return Device(known["id"], tuple(known["users"]))

    def remember(self, device: Device, user: UUID) -> str:
        """The cookie of a browser with which this user has signed in."""
        users: Sequence[str] = [str(user), *(other for other in device.users if other != str(user))]
        return self._seals.seal(DEVICE, {"id": device.id, "users": users[:MOST_USERS]})

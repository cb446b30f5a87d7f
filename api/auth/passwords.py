"""Passwords: argon2 hashes, one-time passwords, and what makes a password good enough."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterable
from functools import cached_property

from pwdlib import PasswordHash
from zxcvbn import zxcvbn

from api.auth.refusals import Refusal

LONGEST = 256
AT_ONCE = 2
WEAKEST = 10**8
"""Guesses that a password must withstand; those of the usual lists take far fewer."""
GUESSED_FIRST = "this password is among those that are guessed first; take a few words that do not belong together"
JUDGED = 72
"""Characters of a long password that are judged: the judgement's time grows with the square of them."""


class Passwords:
    """Hashes and checks passwords, no more than two at a time: each takes 64 MiB and a core for a moment."""

    def __init__(self) -> None:
        self._hasher = PasswordHash.recommended()
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        self._judging = threading.Lock()

    @cached_property
    def _nobody(self) -> str:
        """Checked for unknown names, so that these take as long as known ones."""
        return self._hasher.hash(secrets.token_urlsafe())

    def hash(self, password: str) -> str:
        with self._slots:
            return self._hasher.hash(password)

    def check(self, password: str, password_hash: str | None) -> tuple[bool, str | None]:
        """Whether it is the password, and a new hash when the old was made with outdated settings."""
        with self._slots:
            right, new_hash = self._hasher.verify_and_update(password, password_hash or self._nobody)
        return right and bool(password_hash), new_hash

    def is_any_of(self, password: str, hashes: Iterable[str]) -> bool:
        return any(self.check(password, each)[0] for each in hashes)

    def refuse_weak(self, password: str, name: str, *, shortest: int) -> None:
        """Raises Refusal 422 for a password that is not good enough.

        Length, and how many guesses it takes: zxcvbn (Wheeler, USENIX Security 2016) knows the passwords of breaches,
        words, names, dates, keyboard walks and repetitions without asking anybody over a network.
        """
        if not shortest <= len(password) <= LONGEST:
            raise Refusal(422, "a password has {shortest} to {longest} characters", shortest=shortest, longest=LONGEST)
        if len(set(password)) < 5:
            raise Refusal(422, "a password has at least 5 different characters")
        if name.lower() in password.lower():
            raise Refusal(422, "a password does not contain the user's name")
        with self._judging:  # it keeps what it is given in a table that all calls share
            judged = zxcvbn(password[:JUDGED], user_inputs=[name, "matthan", "mắt thần"])
        if judged["guesses"] < WEAKEST:
            raise Refusal(422, GUESSED_FIRST)


def one_time_password() -> str:
    return secrets.token_urlsafe(12)

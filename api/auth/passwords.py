"""Passwords: argon2 hashes, one-time passwords, and what makes a password good enough."""

from __future__ import annotations

import secrets
import threading
from functools import cached_property

from pwdlib import PasswordHash

SHORTEST, LONGEST = 12, 256
AT_ONCE = 2


class Passwords:
    """Hashes and checks passwords, no more than two at a time: each takes 64 MiB and a core for a moment."""

    def __init__(self) -> None:
        self._hasher = PasswordHash.recommended()
        self._slots = threading.BoundedSemaphore(AT_ONCE)

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
        return right and password_hash is not None, new_hash


def one_time_password() -> str:
    return secrets.token_urlsafe(12)


def objection(password: str, name: str) -> str | None:
    """Why a password is not good enough, or None."""
    if not SHORTEST <= len(password) <= LONGEST:
        return f"a password has {SHORTEST} to {LONGEST} characters"
    if len(set(password)) < 5:
        return "a password has at least 5 different characters"
    if name.lower() in password.lower():
        return "a password does not contain the user's name"
    return None

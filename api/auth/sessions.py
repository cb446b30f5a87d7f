"""Signing in and out. Tokens are random and opaque; the database keeps their hashes, so that each can be ended."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import ceil
from typing import Literal

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.exceptions import HTTPException

from api.auth.passwords import Passwords, objection, one_time_password
from api.settings import Settings
from pipeline.errors import ConflictError
from pipeline.store import Repository, Role
from pipeline.store.account_records import AuditEntry, SessionRecord, UserRecord

FAILED_CHANGE = "password.change.failed"
WRONG_OLD = "the old password is wrong"
USER_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh session. `token` is shown to its user and kept nowhere."""

    token: str
    expires: datetime
    user: UserRecord

    def __repr__(self) -> str:
        return f"SignedIn({self.user!r}, expires={self.expires})"


class Sessions:
    def __init__(self, repository: Repository, settings: Settings, passwords: Passwords) -> None:
        self._repository = repository
        self._settings = settings
        self._passwords = passwords
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._limit = RateLimitItemPerMinute(settings.logins_per_minute)

    def sign_in(self, name: str, password: str, address: str, kind: Literal["bearer", "cookie"]) -> SignedIn:
        """Raises HTTPException 401 for a wrong name or password or a locked account, all alike, and 429 when one
        address tries too often."""
        if not self._limiter.hit(self._limit, address):
            raise HTTPException(429, "too many attempts; wait a minute", headers={"Retry-After": "60"})
        user = self._repository.user_named(name.lower()) if USER_NAME.fullmatch(name.lower()) else None
        now = datetime.now(UTC)
        usable = user is not None and not user.disabled and (user.locked_until is None or user.locked_until <= now)
        right, new_hash = self._passwords.check(password, user.password_hash if user and usable else None)
        opened = None
        if user is not None and right:
            self._repository.login_succeeded(user.id, user.password_hash, new_hash)
            opened = self._open(replace(user, password_hash=new_hash or user.password_hash), kind, address)
        if user is None or opened is None:
            self._count_failure(user if usable else None, now)
            self._audit(user.name if user else "", "login.failed", address)
            detail = "the name or password is wrong, or the account is locked for some minutes or disabled"
            raise HTTPException(401, detail, headers={"WWW-Authenticate": "Bearer"})
        self._audit(user.name, "login", address)
        return opened

    def sign_out(self, token: str, name: str, address: str) -> None:
        if (session := self.find(token)) is not None:
            self._repository.delete_session(session.id, session.user.id)
        self._audit(name, "logout", address)

    def find(self, token: str) -> SessionRecord | None:
        return self._repository.session(_digest(token), idle=self._settings.session_idle)

    def change_password(self, session: SessionRecord, old: str, new: str, address: str) -> SignedIn:
        """Replace one's own password; all sessions end and a new one of the same kind begins.

        A wrong old password counts like one at the sign-in. Raises HTTPException 422 when it is wrong or the new
        one not good enough, and 429 when the account is locked or one address tries too often.
        """
        user, now = session.user, datetime.now(UTC)
        if not self._limiter.hit(self._limit, address):
            raise HTTPException(429, "too many attempts; wait a minute", headers={"Retry-After": "60"})
        if user.locked_until is not None and user.locked_until > now:
            self._audit(user.name, FAILED_CHANGE, address)
            wait = {"Retry-After": str(ceil((user.locked_until - now).total_seconds()))}
            raise HTTPException(429, "the account is locked after too many wrong passwords; wait", headers=wait)
        if not self._passwords.check(old, user.password_hash)[0]:
            self._count_failure(user, now)
            self._audit(user.name, FAILED_CHANGE, address)
            raise HTTPException(422, WRONG_OLD)
        if old == new:
            raise HTTPException(422, "the new password is the old one")
        if complaint := objection(new, user.name):
            raise HTTPException(422, complaint)
        changed = replace(user, password_hash=self._passwords.hash(new), must_change_password=False)
        audit = AuditEntry(user.name, "password.change", "user", user.name, address=address)
        done = self._repository.set_password(
            user.id, changed.password_hash, must_change=False, replaces=user.password_hash, audit=audit
        )
        opened = self._open(changed, "cookie" if session.kind == "cookie" else "bearer", address) if done else None
        if opened is None:  # it was changed by another request meanwhile
            raise HTTPException(422, WRONG_OLD)
        return opened

    def _open(self, user: UserRecord, kind: Literal["bearer", "cookie"], address: str) -> SignedIn | None:
        """None when the password that was checked has been replaced meanwhile."""
        token = secrets.token_urlsafe(32)
        expires = datetime.now(UTC) + self._settings.session_lifetime
        opened = self._repository.create_session(
            _digest(token), user.id, kind, expires, checked=user.password_hash, address=address, agent=""
        )
        return SignedIn(token, expires, user) if opened else None

    def _count_failure(self, user: UserRecord | None, now: datetime) -> None:
        if user is not None:
            settings = self._settings
            lock_until = now + settings.lock_time
            self._repository.login_failed(user.id, allowed=settings.failures_until_lock, lock_until=lock_until)

    def _audit(self, name: str, action: str, address: str) -> None:
        self._repository.record_audit(name, action, "user", name, address=address)


def form_token(token: str) -> str:
    """What a form of this session must carry: another site can make a browser post, but cannot know this."""
    return hmac.new(token.encode(), b"form", hashlib.sha256).hexdigest()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def create_admin(repository: Repository, name: str = "admin") -> str | None:
    """On a database without users, make the first administrator and return the one-time password; else None.

    The password must be changed at the first login. It is returned once and kept nowhere.
    """
    if repository.has_users():
        return None
    password = one_time_password()
    try:
        audit = AuditEntry("", "user.create", "user", name, {"role": Role.ADMIN})
        repository.create_user(name, Passwords().hash(password), Role.ADMIN, must_change_password=True, audit=audit)
    except ConflictError:  # another process was quicker, and told its own password
        return None
    return password

"""Signing in and out. Tokens are random and opaque; the database keeps their hashes, so that each can be ended."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

from api.auth.lockout import Caller, Device, Lockout
from api.auth.passwords import Passwords
from api.auth.refusals import Refusal
from api.auth.second_factor import SecondFactors
from pipeline.access import AccessPolicy
from pipeline.store import Repository
from pipeline.store.account_records import AuditEntry, SessionRecord, UserRecord

WRONG_OLD = "the old password is wrong"
REFUSED = "the name or password is wrong, or the account is locked for some minutes or disabled"
WRONG_CODE = "this code is wrong or was used before; wait for the next one"
CODE_NEEDED = "give the code of your authenticator app, too, as `code`"
USER_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
HALF = "half"
"""The kind of a session whose user has given the password and has yet to give the second factor."""
HALF_LASTS = timedelta(minutes=5)
LONGEST_AGENT = 200
Kind = Literal["bearer", "cookie"]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh session. `token` is shown to its user and kept nowhere. `half` says that the second factor is still to
    come; `device` is the browser's new seal, where it is one."""

    token: str
    expires: datetime
    user: UserRecord
    half: bool = False
    device: str = ""

    def __repr__(self) -> str:
        return f"SignedIn({self.user!r}, expires={self.expires})"


class Sessions:
    def __init__(
        self,
        repository: Repository,
        policy: AccessPolicy,
        passwords: Passwords,
        lockout: Lockout,
        second_factors: SecondFactors,
    ) -> None:
        self._repository = repository
        self._policy = policy
        self._passwords = passwords
        self._lockout = lockout
        self._second_factors = second_factors

    def sign_in(self, name: str, password: str, caller: Caller, kind: Kind, code: str = "") -> SignedIn:
        """Open a session; in a browser only half of one where the user has a second factor.

        Raises Refusal 401 for a wrong name, password or code or a locked account, all alike, and TooOftenError
        when somebody tries too often.
        """
        user = self._repository.user_named(name.lower()) if USER_NAME.fullmatch(name.lower()) else None
        device = self._known_device(caller, user)
        self._lockout.admit(caller, device)
        now = datetime.now(UTC)
        locked = user is not None and user.locked_until is not None and user.locked_until > now and device is None
        usable = user is not None and not user.disabled and not locked
        right, new_hash = self._passwords.check(password, user.password_hash if user and usable else None)
        opened = None
        if user is not None and right:
            self._refuse_outdated(user, now)
            if user.second_factor and kind == "cookie":
                return self.begin_half(user, caller)
            if user.second_factor and not code:
                raise Refusal(401, CODE_NEEDED, headers={"WWW-Authenticate": "Bearer"})
            if not user.second_factor or self._second_factors.accept(user, code):
                self._repository.login_succeeded(user.id, user.password_hash, new_hash)
                opened = self._open(replace(user, password_hash=new_hash or user.password_hash), kind, caller)
        if user is None or opened is None:
            self._count_failure(user if usable else None, caller, device, now)
            self._audit(user.name if user else "", "login.failed", caller)
            raise Refusal(401, REFUSED, headers={"WWW-Authenticate": "Bearer"})
        self._audit(user.name, "login", caller)
        return opened

    def begin_half(self, user: UserRecord, caller: Caller) -> SignedIn:
        """Open half a session, for who has yet to give the second factor."""
        opened = self._open(user, HALF, caller)
        if opened is None:
            raise Refusal(401, REFUSED)
        return opened

    def half(self, token: str) -> SessionRecord | None:
        """The half session of a token, if it is one."""
        session = self.find(token)
        return session if session is not None and session.kind == HALF else None

    def complete(self, token: str, code: str, caller: Caller) -> SignedIn:
        """From half a session to a whole one, with a token of its own.

        Raises Refusal 401 when there is no half session, 422 for a wrong code, and TooOftenError.
        """
        session = self.half(token)
        if session is None:
            raise Refusal(401, "sign in first")
        user, device = session.user, self._known_device(caller, session.user)
        self._lockout.admit_again(session.id)
        if user.locked_until is not None and user.locked_until > datetime.now(UTC) and device is None:
            raise Refusal(422, WRONG_CODE)
        if not self._second_factors.accept(user, code):
            self._lockout.failed_again(session.id)
            self._count_failure(user, caller, device, datetime.now(UTC))
            self._audit(user.name, "login.failed", caller)
            raise Refusal(422, WRONG_CODE)
        self._repository.login_succeeded(user.id, user.password_hash)
        return self.enter(user, "cookie", caller, instead_of=session)

    def enter(self, user: UserRecord, kind: Kind, caller: Caller, *, instead_of: SessionRecord | None) -> SignedIn:
        """Open a session for a user who has proved who they are, in place of the one given, and write it down."""
        opened = self._open(user, kind, caller)
        if opened is None:
            raise Refusal(401, REFUSED, headers={"WWW-Authenticate": "Bearer"})
        if instead_of is not None:
            self._repository.delete_session(instead_of.id, instead_of.user.id)
        self._audit(user.name, "login", caller)
        return opened

    def sign_out(self, session: SessionRecord, caller: Caller) -> None:
        self._repository.delete_session(session.id, session.user.id)
        self._audit(session.user.name, "logout", caller)

    def revoke(self, user: UserRecord, session: UUID, caller: Caller) -> bool:
        """End one of a user's sessions; False when it is none of theirs."""
        done = self._repository.delete_session(session, user.id)
        if done:
            self._audit(user.name, "session.revoke", caller)
        return done

    def end(self, token: str) -> None:
        """Quietly end the session of a token, if there is one: another takes its place."""
        if token and (session := self.find(token)) is not None:
            self._repository.delete_session(session.id, session.user.id)

    def find(self, token: str) -> SessionRecord | None:
        return self._repository.session(_digest(token), idle=self._policy.session_idle)

    def of(self, user: UUID) -> tuple[SessionRecord, ...]:
        """All whole sessions of a user, the last used first."""
        found = self._repository.sessions_of(user, idle=self._policy.session_idle)
        return tuple(session for session in found if session.kind != HALF)

    def change_password(self, session: SessionRecord, old: str, new: str, caller: Caller) -> SignedIn:
        """Replace one's own password; all sessions end and a new one of the same kind begins.

        Raises Refusal 422 when the old one is wrong or the new one not good enough, and TooOftenError.
        """
        user = session.user
        self.confirm(session, old, caller, wrong=WRONG_OLD)
        if old == new:
            raise Refusal(422, "the new password is the old one")
        self._passwords.refuse_weak(new, user.name, shortest=self._policy.password_length)
        if self._passwords.is_any_of(new, user.password_history):
            raise Refusal(422, "you had this password before; take another")
        changed = replace(user, password_hash=self._passwords.hash(new), must_change_password=False)
        audit = AuditEntry(user.name, "password.change", "user", user.name, address=caller.address)
        done = self._repository.set_password(
            user.id,
            changed.password_hash,
            must_change=False,
            replaces=user.password_hash,
            history=[user.password_hash, *user.password_history][: self._policy.passwords_remembered],
            audit=audit,
        )
        opened = self._open(changed, _kind(session), caller) if done else None
        if opened is None:  # it was changed by another request meanwhile
            raise Refusal(422, WRONG_OLD)
        return opened

    def confirm(
        self, session: SessionRecord, password: str, caller: Caller, *, wrong: str = "the password is wrong"
    ) -> None:
        """Ask for the password once more within a session: who found it open must not take the account over.

        An account without a password has nothing to ask for. Raises Refusal 422, and TooOftenError.
        """
        user = session.user
        if not user.password_hash:
            return
        self._lockout.admit_again(session.id)
        if not self._passwords.check(password, user.password_hash)[0]:
            self._lockout.failed_again(session.id)
            self._audit(user.name, "password.wrong", caller)
            raise Refusal(422, wrong)

    def renew(self, session: SessionRecord, caller: Caller) -> SignedIn:
        """A new session of the same kind, after a change that ended all others."""
        opened = self._open(session.user, _kind(session), caller)
        if opened is None:
            raise Refusal(401, "sign in again")
        return opened

    def _open(self, user: UserRecord, kind: str, caller: Caller) -> SignedIn | None:
        """None when the password that was checked has been replaced meanwhile."""
        token = secrets.token_urlsafe(32)
        half = kind == HALF
        expires = datetime.now(UTC) + (HALF_LASTS if half else self._policy.session_lifetime)
        opened = self._repository.create_session(
            _digest(token),
            user.id,
            kind,
            expires,
            checked=user.password_hash,
            address=caller.address,
            agent=caller.agent[:LONGEST_AGENT],
        )
        if not opened:
            return None
        device = self._lockout.remember(self._lockout.device_of(caller), user.id) if kind == "cookie" else ""
        return SignedIn(token, expires, user, half, device)

    def _known_device(self, caller: Caller, user: UserRecord | None) -> Device | None:
        device = self._lockout.device_of(caller)
        return device if user is not None and device.knows(user.id) else None

    def _refuse_outdated(self, user: UserRecord, now: datetime) -> None:
        since = user.password_set
        if user.must_change_password and since is not None and since + self._policy.one_time_lifetime < now:
            raise Refusal(401, "this one-time password is too old; ask an administrator for a new one")

    def _count_failure(self, user: UserRecord | None, caller: Caller, device: Device | None, now: datetime) -> None:
        self._lockout.failed(caller, device)
        if user is not None and device is None:
            allowed, until = self._policy.failures_until_lock, now + self._policy.lock_time
            self._repository.login_failed(user.id, allowed=allowed, lock_until=until)

    def _audit(self, name: str, action: str, caller: Caller) -> None:
        self._repository.record_audit(name, action, "user", name, address=caller.address)


def form_token(token: str) -> str:
    """What a form of this session must carry: another site can make a browser post, but cannot know this."""
    return hmac.new(token.encode(), b"form", hashlib.sha256).hexdigest()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _kind(session: SessionRecord) -> Kind:
    return "cookie" if session.kind == "cookie" else "bearer"

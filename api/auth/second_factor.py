"""The second factor: codes of an authenticator app (TOTP, RFC 6238), and recovery codes for who has lost it."""

from __future__ import annotations

import hashlib
import hmac
import io
import re
import time
from dataclasses import dataclass
from datetime import timedelta

import pyotp
import segno

from api.auth.refusals import Refusal
from api.auth.sealing import BrokenSealError, Seals
from pipeline.store import Repository
from pipeline.store.account_records import AuditEntry, UserRecord

SECRET, ENROLMENT = "totp", "totp-enrolment"
ENROL_WITHIN = timedelta(minutes=15)
RECOVERY_CODES = 10
SECONDS = 30
STEPS = (0, -1, 1)
"""Beside the code of now, the one before and the next: clocks differ, and typing takes a moment."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A secret that is not in force yet. `sealed` brings it back with the code that proves that the app has it."""

    secret: str
    address: str
    sealed: str

    def __repr__(self) -> str:
        return "Enrolment()"


class SecondFactors:
    """Secrets are kept sealed with the site's key, recovery codes as SHA-256; no code is taken twice."""

    def __init__(self, repository: Repository, seals: Seals, issuer: str) -> None:
        self._repository = repository
        self._seals = seals
        self._issuer = issuer

    def begin(self, user: UserRecord) -> Enrolment:
        secret = pyotp.random_base32()
        sealed = self._seals.seal(ENROLMENT, {"user": str(user.id), "secret": secret})
        return self._enrolment(user, secret, sealed)

    def opened(self, user: UserRecord, sealed: str) -> Enrolment:
        """An enrolment that `begin` made for this user. Raises Refusal 422 when it is none, or too old."""
        try:
            values = self._seals.open(ENROLMENT, sealed, within=ENROL_WITHIN)
        except BrokenSealError:
            values = {}
        if values.get("user") != str(user.id):
            raise Refusal(422, "this took too long; begin again")
        return self._enrolment(user, values["secret"], sealed)

    def finish(self, user: UserRecord, sealed: str, code: str, audit: AuditEntry) -> tuple[str, ...]:
        """Put the secret in force, and return the recovery codes, which are shown now only; other sessions end.

        Raises Refusal 422 when the code is not of this secret.
        """
        enrolment = self.opened(user, sealed)
        step = _matching_step(enrolment.secret, code)
        if step is None:
            raise Refusal(422, "this is not the code of now; check that the clock of your phone is right")
        codes = tuple(_recovery_code() for _ in range(RECOVERY_CODES))
        secret = self._seals.seal(SECRET, {"user": str(user.id), "secret": enrolment.secret})
        hashes = [_digest(each) for each in codes]
        self._repository.set_second_factor(user.id, secret, step, hashes, audit=audit)
        return codes

    def accept(self, user: UserRecord, code: str) -> bool:
        """Whether it is a code of the app, or a recovery code, that this user has not used before."""
        if len(_plain(code)) == 6:
            step = _matching_step(self._secret(user), code)
            return step is not None and self._repository.use_totp_step(user.id, step)
        return self._repository.use_recovery_code(user.id, _digest(code))

    def _secret(self, user: UserRecord) -> str:
        """Raises Refusal 503 when it was sealed with another key."""
        try:
            values = self._seals.open(SECRET, user.totp_secret)
        except BrokenSealError:
            values = {}
        if values.get("user") != str(user.id):
            raise Refusal(503, "the second factor cannot be checked: the site has another key than then")
        return str(values["secret"])

    def _enrolment(self, user: UserRecord, secret: str, sealed: str) -> Enrolment:
        address = pyotp.TOTP(secret, name=user.name, issuer=self._issuer).provisioning_uri()
        return Enrolment(secret, address, sealed)


def picture(address: str) -> bytes:
    """An address as a QR code, SVG."""
    out = io.BytesIO()
    segno.make(address, error="m").save(out, kind="svg", scale=5, border=4, light="white", xmldecl=False)
    return out.getvalue()


def current_step() -> int:
    """The number of the half minute that it is, counted from 1970 on."""
    return int(time.time()) // SECONDS


def _matching_step(secret: str, code: str) -> int | None:
    """The time step whose code this is, if it is one of about now."""
    totp, now, given = pyotp.TOTP(secret), current_step(), _plain(code)
    return next((now + step for step in STEPS if hmac.compare_digest(totp.generate_otp(now + step), given)), None)


def _recovery_code() -> str:
    """80 bits, so that its hash gives it away to no search."""
    signs = pyotp.random_base32(32)[:16].lower()
    return "-".join(signs[start : start + 4] for start in range(0, 16, 4))


def _digest(code: str) -> str:
    return hashlib.sha256(_plain(code).encode()).hexdigest()


def _plain(code: str) -> str:
    return re.sub(r"[\s-]", "", code).lower()

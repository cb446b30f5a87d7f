"""What the API answers about people: accounts, sessions, second factors, keys, the audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import Field

from api.auth.keys import KeyScope, NewKey
from api.auth.second_factor import Enrolment
from api.schemas import VIOLATION, Answer
from pipeline.store import Role
from pipeline.store.account_records import ApiKeyRecord, SessionRecord

SHOWN_ONCE = "Shown now only."


class UserAnswer(Answer):
    id: UUID = Field(examples=["2b6a7a52-11f3-4f3c-8a47-6d8a4f0f7d10"])
    name: str = Field(examples=["lan"])
    role: Role = Field(examples=["reviewer"])
    groups: list[str] = Field(
        description="Groups whose cameras the user sees; all cameras when empty.", examples=[["north"]]
    )
    disabled: bool = Field(examples=[False])
    must_change_password: bool = Field(examples=[True])
    second_factor: bool = Field(description="Whether a code is asked for at the sign-in.", examples=[False])
    issuer: str = Field(description="Where the user signs in, when not with a password here.", examples=[""])
    locked_until: datetime | None = Field(
        description="Until when the account is locked for browsers with which its user never signed in.",
        examples=[None],
    )
    signed_in: datetime | None = Field(description="When the user last signed in.", examples=["2026-11-01T05:00:00Z"])
    created: datetime = Field(examples=["2026-11-01T01:00:00Z"])


class OneTimePassword(Answer):
    """The user must replace it at the first sign-in, and within some days."""

    user: UserAnswer
    one_time_password: str | None = Field(
        description=f"{SHOWN_ONCE} Null for a user who signs in elsewhere.", examples=["vZ3x0cQeW1mLq8Tn"]
    )


class Token(Answer):
    token: str = Field(
        description="Send as `Authorization: Bearer`.", examples=["Qm9vM2d1a2VpZmFldGhvb3RoYWlnaGFlajllaWI"]
    )
    expires: datetime = Field(examples=["2026-11-01T17:00:00Z"])
    user: UserAnswer


class SessionAnswer(Answer):
    id: UUID = Field(examples=["7b1f6a52-11f3-4f3c-8a47-6d8a4f0f7d10"])
    kind: str = Field(description="bearer (a program) or cookie (a browser).", examples=["cookie"])
    created: datetime = Field(examples=["2026-11-01T05:00:00Z"])
    seen: datetime = Field(description="When it was last used, give or take a minute.")
    expires: datetime = Field(examples=["2026-11-01T17:00:00Z"])
    address: str = Field(examples=["10.0.4.17"])
    agent: str = Field(examples=["Mozilla/5.0 (X11; Linux x86_64)"])
    current: bool = Field(description="Whether it is the one that asks.", examples=[True])

    @classmethod
    def of(cls, session: SessionRecord, current: SessionRecord) -> Self:
        own = {name: getattr(session, name) for name in cls.model_fields if name != "current"}
        return cls(**own, current=session.id == current.id)


class SecondFactorAnswer(Answer):
    enrolled: bool = Field(examples=[True])
    required: bool = Field(description="Whether the role needs one.", examples=[True])
    recovery_codes: int = Field(description="How many are left.", examples=[9])


class EnrolmentAnswer(Answer):
    """A secret that is not in force until `PUT` brings `enrolment` back with a code of it."""

    secret: str = Field(description=SHOWN_ONCE, examples=["JBSWY3DPEHPK3PXP"])
    address: str = Field(description="The same for a QR code.", examples=["otpauth://totp/Hu%E1%BA%BF:lan?secret=…"])
    enrolment: str

    @classmethod
    def of(cls, enrolment: Enrolment) -> Self:
        return cls(secret=enrolment.secret, address=enrolment.address, enrolment=enrolment.sealed)


class Enrolled(Answer):
    recovery_codes: list[str] = Field(
        description=f"{SHOWN_ONCE} Each stands in for one code of the app.", examples=[["k3sa-7qwe-b2dd-x5yz"]]
    )
    token: Token = Field(description="All sessions ended; this one goes on.")


class KeyAnswer(Answer):
    id: UUID
    name: str = Field(examples=["dashboard-of-the-mayor"])
    owner: str = Field(examples=["admin"])
    beginning: str = Field(description="The key's first characters.", examples=["matthan_Ab3dE1"])
    scopes: list[KeyScope] = Field(examples=[["violations", "reports"]])
    groups: list[str] = Field(description="Those whose cameras it sees; its owner's when empty.", examples=[[]])
    created: datetime
    expires: datetime | None
    used: datetime | None = Field(description="When it was last used, give or take a minute.")
    revoked: datetime | None

    @classmethod
    def of(cls, key: ApiKeyRecord) -> Self:
        own = {name: getattr(key, name) for name in cls.model_fields if name != "owner"}
        return cls.model_validate({**own, "owner": key.owner.name})


class NewKeyAnswer(Answer):
    id: UUID
    key: str = Field(description=f"{SHOWN_ONCE} Send as `Authorization: Bearer`.", examples=["matthan_Ab3dE1…"])
    expires: datetime

    @classmethod
    def of(cls, made: NewKey) -> Self:
        return cls(id=made.id, key=made.key, expires=made.expires)


class AuditAnswer(Answer):
    id: int = Field(examples=[1024])
    time: datetime = Field(examples=["2026-11-01T05:01:00Z"])
    actor: str = Field(
        description="A user, or `key:` and the name of a key; `console` for what is done at the machine.",
        examples=["lan"],
    )
    action: str = Field(examples=["violation.view"])
    object_kind: str = Field(examples=["violation"])
    object_id: str = Field(examples=[str(VIOLATION)])
    detail: Mapping[str, Any] = Field(examples=[{}])
    address: str = Field(examples=["10.0.4.17"])

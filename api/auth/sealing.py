"""Small secrets, sealed: unreadable and unchangeable for who has the database or a browser's cookies alone."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from pydantic import SecretStr


class BrokenSealError(ValueError):
    """What was given is no seal of ours, has been altered, is too old, or was made with another key."""


class Seals:
    """Seals with the site's key. Each purpose has a key of its own, so that no seal passes for one of another."""

    def __init__(self, key: SecretStr) -> None:
        self._key = key.get_secret_value().encode()

    def seal(self, purpose: str, values: Mapping[str, Any]) -> str:
        return self._box(purpose).encrypt(json.dumps(values).encode()).decode()

    def open(self, purpose: str, sealed: str, *, within: timedelta | None = None) -> dict[str, Any]:
        """The values, if they were sealed `within` this time. Raises BrokenSealError."""
        try:
            ttl = None if within is None else round(within.total_seconds())
            values: dict[str, Any] = json.loads(self._box(purpose).decrypt(sealed.encode(), ttl))
        except (InvalidToken, ValueError):
            raise BrokenSealError(purpose) from None
        return values

    def _box(self, purpose: str) -> Fernet:
        key = hmac.new(self._key, purpose.encode(), hashlib.sha256).digest()
        return Fernet(base64.urlsafe_b64encode(key))

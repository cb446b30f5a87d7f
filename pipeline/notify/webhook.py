"""Our own webhook: JSON by POST, signed after the Standard Webhooks specification.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from time import time

import httpx

from pipeline.config import TargetConfig
from pipeline.errors import DeliveryError
from pipeline.notify.message import Message
from pipeline.notify.sending import SECONDS


class Webhook:
    """Follows no redirects, and looks at nothing of the answer but its status: 2xx means taken."""

    def __init__(self, target: TargetConfig, seconds: float = SECONDS) -> None:
        self._target = target
        self._seconds = seconds
        self._client = httpx.Client(timeout=seconds, follow_redirects=False, headers={"user-agent": "matthan"})

    def send(self, message: Message) -> None:
        body = json.dumps(message.document, ensure_ascii=False, separators=(",", ":")).encode()
        name, moment = str(message.id), str(int(time()))
        secret = self._target.secret.get_secret_value() if self._target.secret else ""
        headers = {
            "content-type": "application/json",
            "webhook-id": name,
            "webhook-timestamp": moment,
            "webhook-signature": signature(secret, name, moment, body),
        }
        try:
            with self._client.stream(
                "POST", self._target.url.get_secret_value(), content=body, headers=headers
            ) as answer:
                status = answer.status_code
        except httpx.TimeoutException:
            raise DeliveryError(f"no answer within {self._seconds:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise DeliveryError(f"cannot be reached: {type(error).__name__}") from None
        if not 200 <= status < 300:
            raise DeliveryError(f"answered {status}")

    def close(self) -> None:
        self._client.close()


def signature(secret: str, name: str, timestamp: str, body: bytes) -> str:
    """`v1,` and the HMAC-SHA-256 of `id.timestamp.body` in base64.

    A secret of the form whsec_… is base64, as that specification writes it; any other is taken as it stands.
    """
    marked = secret.removeprefix("whsec_")
    key = base64.b64decode(marked) if marked != secret else secret.encode()
    signed = b".".join((name.encode(), timestamp.encode(), body))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()

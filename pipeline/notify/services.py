"""The services that Apprise knows: Telegram, e-mail, Slack, and over a hundred more."""

from __future__ import annotations

import logging
import re

from apprise import Apprise, AppriseAsset, NotifyFormat, NotifyType

from pipeline.config import TargetConfig
from pipeline.errors import DeliveryError
from pipeline.notify.message import Message

SECONDS = 30.0
"""A picture takes longer than a text."""

_STATUS = re.compile(r"error=(\d{3})\b")


class Service:
    """One of Apprise's services.

    Apprise says what went wrong in its log alone, which may quote addresses; of that only the status of an HTTP
    answer is passed on, and nothing is logged.
    """

    def __init__(self, target: TargetConfig) -> None:
        chatter = logging.getLogger("apprise")
        chatter.propagate = False
        if not chatter.handlers:
            chatter.addHandler(logging.NullHandler())
        self._apprise = Apprise(asset=AppriseAsset(app_id="matthan", secure_logging=True))
        self._apprise.add(target.url.get_secret_value())

    def send(self, message: Message) -> None:
        told: list[str] = []
        result = self._apprise.notify(
            body=message.text,
            title=message.title,
            notify_type=NotifyType.WARNING if message.urgent else NotifyType.INFO,
            body_format=NotifyFormat.TEXT,
            attach=str(message.picture) if message.picture else None,
            timeout=SECONDS,
            log_callback=lambda entry, _service: told.append(entry.message),
        )
        if not result:
            status = next((found[1] for text in told if (found := _STATUS.search(text))), None)
            raise DeliveryError(f"the service answered {status}" if status else "the service did not take it")

    def close(self) -> None:
        self._apprise.clear()

"""The ways out: one sender for each kind of target."""

from __future__ import annotations

from typing import Protocol

from pipeline.config import TargetConfig
from pipeline.notify.message import Message

SECONDS = 10.0
"""How long a target may take to answer."""


class Sender(Protocol):
    """Sends to one target; used by one thread at a time."""

    def send(self, message: Message) -> None:
        """Returns when the target has taken the message.

        Raises:
            DeliveryError: it has not, as far as is known. The text holds neither address nor secret.
        """

    def close(self) -> None:
        """Let go of connections."""


def open_sender(target: TargetConfig) -> Sender:
    """The sender for a target; nothing is connected yet."""
    # each brings a library of its own, which only those who use it wait for
    if target.kind == "webhook":
        from pipeline.notify.webhook import Webhook  # noqa: PLC0415

        return Webhook(target)
    if target.kind == "mqtt":
        from pipeline.notify.mqtt import Mqtt  # noqa: PLC0415

        return Mqtt(target)
    from pipeline.notify.services import Service  # noqa: PLC0415

    return Service(target)

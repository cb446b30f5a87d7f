"""MQTT 3.1.1 at least once (QoS 1), over TLS for mqtts://, with a last will."""

from __future__ import annotations

import json
import ssl
import threading
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import Client, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion

from pipeline.config import TargetConfig
from pipeline.errors import DeliveryError
from pipeline.notify.message import Message
from pipeline.notify.sending import SECONDS


class Mqtt:
    """Publishes to `TOPIC/EVENT/CAMERA`, or `TOPIC/EVENT` for what is about no camera.

    `TOPIC/status` says `online`, retained, while the connection stands; the broker itself puts `offline` there
    when it breaks.
    """

    def __init__(self, target: TargetConfig, seconds: float = SECONDS) -> None:
        self._target = target
        self._seconds = seconds
        self._client: Client | None = None

    def send(self, message: Message) -> None:
        client = self._client or self._connect()
        self._client = client
        topic = "/".join(part for part in (self._target.topic, message.event, message.camera) if part)
        try:
            info = client.publish(topic, json.dumps(message.document, ensure_ascii=False), qos=1)
            _wait(info, self._seconds)
        except (DeliveryError, OSError, RuntimeError, ValueError) as error:
            self.close()  # with what it still has queued: the outbox sends it again
            if isinstance(error, DeliveryError):
                raise
            raise DeliveryError(f"not published: {type(error).__name__}") from None

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            if client.is_connected():
                farewell = client.publish(f"{self._target.topic}/status", "offline", qos=1, retain=True)
                with suppress(DeliveryError, RuntimeError, ValueError):  # then the broker's copy of the will says so
                    _wait(farewell, 1.0)
            client.disconnect()
            client.loop_stop()

    def _connect(self) -> Client:
        parts = urlsplit(self._target.url.get_secret_value())
        client = Client(CallbackAPIVersion.VERSION2)
        if parts.username is not None:
            client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
        status = f"{self._target.topic}/status"
        client.will_set(status, "offline", qos=1, retain=True)
        answered = threading.Event()
        refusal: list[str] = []

        def on_connect(client: Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
            if reason.is_failure:
                refusal.append(str(reason))
            else:
                client.publish(status, "online", qos=1, retain=True)
            answered.set()

        client.on_connect = on_connect
        secure = parts.scheme == "mqtts"
        try:
            if secure:
                client.tls_set(ca_certs=self._target.ca_file)
            client.connect_timeout = self._seconds
            client.connect(parts.hostname or "", parts.port or (8883 if secure else 1883), keepalive=30)
        except ssl.SSLError:
            raise DeliveryError("the broker's certificate is not trusted; see `ca`") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", "") or type(error).__name__
            raise DeliveryError(f"cannot be reached: {reason}") from None
        client.loop_start()
        if not answered.wait(self._seconds) or refusal:
            client.disconnect()
            client.loop_stop()
            raise DeliveryError(f"the broker refused: {refusal[0]}" if refusal else "the broker did not answer")
        return client


def _wait(info: MQTTMessageInfo, seconds: float) -> None:
    info.wait_for_publish(seconds)
    if not info.is_published():
        raise DeliveryError(f"the broker did not confirm within {seconds:g} s")

"""The ways out, each against a real server: what arrives, and how a failure is told."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from datetime import UTC, datetime
from ipaddress import ip_address
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from pipeline.errors import DeliveryError
from pipeline.notify import open_sender
from pipeline.notify.mqtt import Mqtt
from pipeline.notify.webhook import Webhook

from ..servers.broker import MqttBroker
from .makers import SECRET, message, target, webhook


class TestWebhook:
    def test_the_receiver_can_verify_what_it_gets(self, receiver):
        Webhook(target(**webhook(f"{receiver.url}/alerts"))).send(message())
        (got,) = receiver.received
        assert got.path == "/alerts"
        assert got.document == {
            "id": str(UUID(int=7)),
            "event": "violation_began",
            "title": "Huế: Cháy – Cổng 1",
            "text": "Bắt đầu 17:20:05",
            "violation": {"kind": "fire"},
        }
        signed = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
        expected = base64.b64encode(hmac.digest(SECRET.encode(), signed, hashlib.sha256)).decode()
        assert got.headers["webhook-signature"] == f"v1,{expected}"
        assert got.headers["webhook-id"] == str(UUID(int=7))
        assert abs(int(got.headers["webhook-timestamp"]) - time.time()) < 60

    def test_a_secret_of_the_specifications_form_is_base64(self, receiver):
        secret = "whsec_" + base64.b64encode(b"0123456789abcdef").decode()
        Webhook(target(**webhook(receiver.url, secret=secret))).send(message())
        (got,) = receiver.received
        signed = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
        expected = base64.b64encode(hmac.digest(b"0123456789abcdef", signed, hashlib.sha256)).decode()
        assert got.headers["webhook-signature"] == f"v1,{expected}"

    @pytest.mark.parametrize("status", [302, 404, 500])
    def test_anything_but_success_is_a_failure_and_no_redirect_is_followed(self, receiver, status):
        receiver.answers.append(status)
        with pytest.raises(DeliveryError, match=f"^answered {status}$"):
            Webhook(target(**webhook(receiver.url))).send(message())
        assert [got.path for got in receiver.received] == ["/"]

    def test_a_target_that_does_not_answer_in_time(self, receiver):
        receiver.delay = 1.0
        with pytest.raises(DeliveryError, match=r"^no answer within 0\.2 s$"):
            Webhook(target(**webhook(receiver.url)), seconds=0.2).send(message())

    def test_a_target_that_is_not_there_is_told_without_its_address(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            address = f"http://127.0.0.1:{closed.getsockname()[1]}/token-1234"
        with pytest.raises(DeliveryError) as failed:
            Webhook(target(**webhook(address))).send(message())
        assert str(failed.value) == "cannot be reached: ConnectError"


class TestService:
    def test_apprise_takes_the_message(self, receiver):
        service = open_sender(target(id="chat", url=f"json://127.0.0.1:{receiver.port}/room"))
        service.send(message())
        (got,) = receiver.received
        assert got.path == "/room"
        assert got.document["title"] == "Huế: Cháy – Cổng 1"
        assert got.document["message"] == "Bắt đầu 17:20:05"

    def test_apprise_sends_the_picture(self, receiver, tmp_path):
        picture = tmp_path / "overlay.jpg"
        picture.write_bytes(b"\xff\xd8picture\xff\xd9")
        service = open_sender(target(id="chat", url=f"form://127.0.0.1:{receiver.port}/", picture=True, plates=True))
        service.send(message(picture=picture))
        (got,) = receiver.received
        assert b"\xff\xd8picture\xff\xd9" in got.body

    def test_a_refusal_is_told_by_its_status_alone(self, receiver, capfd):
        receiver.answers.append(403)
        service = open_sender(target(id="chat", url=f"json://user:hunter2@127.0.0.1:{receiver.port}/token-1234"))
        with pytest.raises(DeliveryError, match=r"^the service answered 403$"):
            service.send(message())
        shown = capfd.readouterr()
        assert shown.out + shown.err == ""


class Listener:
    """A client that keeps what is published."""

    def __init__(self, port: int) -> None:
        self.heard: list[tuple[str, bytes, int, bool]] = []
        self._bell = threading.Condition()
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._hear
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("#", qos=1)
        self._client.loop_start()

    def _hear(self, _client, _data, message):
        with self._bell:
            self.heard.append((message.topic, message.payload, message.qos, message.retain))
            self._bell.notify_all()

    def wait_for(self, topic, payload=None):
        def found():
            return any(
                heard == topic and (payload is None or heard_payload == payload)
                for heard, heard_payload, *_ in self.heard
            )

        with self._bell:
            assert self._bell.wait_for(found, 10), self.heard
        return next(each for each in reversed(self.heard) if each[0] == topic)

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()


def certificate(folder, name):
    """A certificate for 127.0.0.1 that is its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2099, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / f"{name}.pem").write_bytes(signed.public_bytes(Encoding.PEM))
    (folder / f"{name}.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return folder / f"{name}.pem", folder / f"{name}.key"


class TestMqtt:
    def test_a_message_is_published_and_the_connection_shown(self, broker):
        listener = Listener(broker.port)
        sender = Mqtt(target(id="broker", kind="mqtt", url=f"mqtt://127.0.0.1:{broker.port}", topic="city/matthan"))
        sender.send(message())
        _, payload, qos, _ = listener.wait_for("city/matthan/violation_began/gate-1")
        assert qos == 1
        assert json.loads(payload)["violation"] == {"kind": "fire"}
        listener.wait_for("city/matthan/status", b"online")
        sender.close()
        listener.wait_for("city/matthan/status", b"offline")
        listener.close()

    def test_the_brokers_copy_of_the_will_tells_of_a_kill(self, broker):
        listener = Listener(broker.port)
        sender = Mqtt(target(id="broker", kind="mqtt", url=f"mqtt://127.0.0.1:{broker.port}"))
        sender.send(message())
        listener.wait_for("matthan/status", b"online")
        sender._client.socket().shutdown(socket.SHUT_RDWR)  # what a killed process leaves
        sender._client.loop_stop()
        listener.wait_for("matthan/status", b"offline")
        listener.close()

    def test_a_broker_that_is_not_there(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1]
        with pytest.raises(DeliveryError, match=r"^cannot be reached: Connection refused$"):
            Mqtt(target(id="broker", kind="mqtt", url=f"mqtt://u:hunter2@127.0.0.1:{port}")).send(message())

    def test_a_server_that_never_answers(self):
        with socket.create_server(("127.0.0.1", 0)) as deaf:
            sender = Mqtt(
                target(id="broker", kind="mqtt", url=f"mqtt://127.0.0.1:{deaf.getsockname()[1]}"), seconds=0.3
            )
            with pytest.raises(DeliveryError, match=r"^the broker did not answer$"):
                sender.send(message())

    def test_a_broker_that_comes_back_is_used_again(self, broker):
        sender = Mqtt(target(id="broker", kind="mqtt", url=f"mqtt://127.0.0.1:{broker.port}"), seconds=2)
        sender.send(message())
        sender._client.socket().shutdown(socket.SHUT_RDWR)
        for _ in range(20):
            try:
                sender.send(message())
                break
            except DeliveryError:
                time.sleep(0.1)
        else:
            pytest.fail("never sent again")
        sender.close()

    def test_over_tls_only_a_broker_with_the_right_certificate_is_trusted(self, tmp_path):
        (own, key), (other, _) = certificate(tmp_path, "own"), certificate(tmp_path, "other")
        broker = MqttBroker(certificate=own, key=key)
        try:
            given = {"id": "broker", "kind": "mqtt", "url": f"mqtts://127.0.0.1:{broker.port}"}
            sender = Mqtt(target(**given, ca=str(own)))
            sender.send(message())
            sender.close()
            for ca in ({"ca": str(other)}, {}):
                with pytest.raises(DeliveryError) as told:
                    Mqtt(target(**given, **ca), seconds=5).send(message())
                assert str(told.value) == "the broker's certificate is not trusted; see `ca`"
        finally:
            broker.close()

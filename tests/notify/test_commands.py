"""`matthan notify` as its user sees it."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.errors import MatThanError
from pipeline.notify import Notifier
from pipeline.notify.notifier import Pace
from pipeline.store import Repository
from pipeline.types import Findings

from ..store.makers import violation
from .makers import SECRET, config, webhook
from .test_notifier import wait_until


def register(folder: Path, receiver) -> Path:
    path = folder / "streams.yaml"
    path.write_text(
        f"""
site: {{name: Huế, timezone: Asia/Ho_Chi_Minh}}
notifications:
  targets:
    - {{id: desk, kind: webhook, url: "{receiver.url}/hook", secret: {SECRET}}}
    - {{id: away, kind: webhook, url: "http://127.0.0.1:9/token-1234", secret: {SECRET}}}
  routes: [{{targets: [desk, away]}}]
cameras: [{{id: gate-1, source: rtsp://10.0.0.1/}}]
""",
        "utf-8",
    )
    return path


def matthan(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["notify", *map(str, arguments)])
    if isinstance(result.exception, MatThanError):
        raise result.exception
    return result.exit_code, result.output


def test_a_test_message_says_what_became_of_it(tmp_path, receiver):
    streams = register(tmp_path, receiver)
    assert matthan("test", "desk", "--config", streams) == (0, "desk: sent by webhook\n")
    assert receiver.received[0].document["text"] == "Kênh thông báo này hoạt động."
    code, output = matthan("test", "--config", streams)
    assert code == 1
    assert "away: cannot be reached: ConnectError" in output
    assert "token-1234" not in output
    with pytest.raises(MatThanError, match="no such target of notifications; there are: desk, away"):
        matthan("test", "dsk", "--config", streams)


def test_what_was_given_up_is_listed_and_sent_again(tmp_path, receiver):
    streams, data = register(tmp_path, receiver), tmp_path / "data"
    options = ("--config", streams, "--data", data)
    receiver.answers.extend([500] * 100)
    with Repository.open(f"sqlite:///{data / 'matthan.db'}") as repository:
        repository.announces = True
        repository.save(Findings(violations=(violation(),)))
        registered = config(webhook(receiver.url, retry_hours=0.00001))
        notifier = Notifier(registered, repository, tmp_path, Pace(look=0.02, first=0.2))
        notifier.start()
        wait_until(lambda: repository.notification_counts() == {("desk", "dead"): 1})
        notifier.close()
        (dead,) = repository.notifications("dead")

        code, output = matthan("list", *options, "--state", "dead")
        assert code == 0
        assert f"violation_began wrong_way gate-1  {dead.id}  attempt 1: answered 500" in output
        assert output.endswith("desk: 1 dead\n")
        assert matthan("retry", UUID(int=5), *options)[0] == 1
        assert matthan("retry", dead.id, *options) == (0, "1 message is to be sent again\n")
        assert repository.notification_counts() == {("desk", "waiting"): 1}
    with pytest.raises(MatThanError, match="not the id of a message"):
        matthan("retry", "7", *options)

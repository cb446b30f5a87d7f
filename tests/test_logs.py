"""Logs are JSON where no terminal reads them, and give no login away."""

from __future__ import annotations

import json

import pytest
import structlog

from pipeline import logs


@pytest.fixture(autouse=True)
def restored():
    yield
    structlog.reset_defaults()


def lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_is_json_with_its_level_and_utc_time(capsys):
    logs.configure()
    structlog.get_logger().warning("camera failed", camera="Ngọ Môn")
    (line,) = lines(capsys)
    assert (line["event"], line["camera"], line["level"]) == ("camera failed", "Ngọ Môn", "warning")
    assert line["timestamp"].endswith("Z")


def test_a_login_in_an_address_is_hidden_also_in_a_librarys_error(capsys):
    logs.configure()
    log = structlog.get_logger()
    log.error("not opened", error="rtsp://admin:hue-secret-1@10.0.0.5/live: refused")
    try:
        raise OSError("cannot connect to postgresql+psycopg://city:hue-secret-2@db/matthan")
    except OSError:
        log.exception("failed")
    told = json.dumps(lines(capsys))
    assert "hue-secret" not in told
    assert "rtsp://***@10.0.0.5/live" in told
    assert "://***@db/matthan" in told

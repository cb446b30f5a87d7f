"""Secrets are filled in where they may stand, and shown nowhere."""

from __future__ import annotations

import traceback
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config import Config, load, redact
from pipeline.config.secrets import MissingSecretError, expand
from pipeline.errors import ConfigError
from pipeline.readers.failure import explain, public

SECRET = "s3cr3t@/ä#"
ENCODED = "s3cr3t%40%2F%C3%A4%23"


def read(folder: Path, source: str, *, storage: str = "", environment: dict[str, str] | None = None) -> Config:
    file = folder / "streams.yaml"
    file.write_text(f"site: {{timezone: UTC}}\n{storage}\ncameras:\n  - id: gate\n    source: {source}\n", "utf-8")
    return load(file, {"PASSWORD": SECRET} if environment is None else environment)


@pytest.mark.parametrize(
    "source",
    [
        "rtsp://admin:${PASSWORD}@10.0.0.1:554/main",
        "rtsp://admin:${file:password}@10.0.0.1:554/main",
        "rtsp://${USER:-admin}:${PASSWORD}@10.0.0.1:554/main",
        "{url: 'rtsp://10.0.0.1:554/main', user: admin, password: '${PASSWORD}'}",
        "{url: 'rtsp://10.0.0.1:554/main', user: '${USER:-admin}', password: '${file:password}'}",
    ],
)
def test_a_password_may_hold_any_character_and_is_never_shown(tmp_path: Path, source: str) -> None:
    (tmp_path / "password").write_text(f"{SECRET}\n", "utf-8")
    url = f"rtsp://admin:{ENCODED}@10.0.0.1:554/main"
    config = read(tmp_path, source, environment={"PASSWORD": SECRET})
    camera = config.cameras[0]
    assert camera.source.address == url
    assert camera.source.live
    assert str(camera.source) == "rtsp://***@10.0.0.1:554/main"
    for shown in (repr(config), str(config), str(config.model_dump()), config.model_dump_json(), camera.hash):
        assert "s3cr3t" not in shown


@pytest.mark.parametrize(
    ("source", "address"),
    [
        ("{url: 'rtsp://10.0.0.1/main', analysis: 'rtsp://10.0.0.1/sub', user: admin, password: '${PASSWORD}'}", True),
        ("{url: 'rtsp://10.0.0.1/main', analysis: 'rtsp://admin:${PASSWORD}@10.0.0.1/sub'}", True),
        ("{url: 'rtsp://admin:${PASSWORD}@10.0.0.1/main'}", False),
    ],
)
def test_the_stream_for_the_analysis_has_the_same_login_and_hides_it(
    tmp_path: Path, source: str, address: bool
) -> None:
    config = read(tmp_path, source)
    found = config.cameras[0].source.analysis_address
    assert found == (f"rtsp://admin:{ENCODED}@10.0.0.1/sub" if address else None)
    for shown in (repr(config), str(config.model_dump()), config.model_dump_json()):
        assert "s3cr3t" not in shown


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("rtsp://10.0.0.1/live/${KEY}/main", "rtsp://10.0.0.1/live/***/main"),
        ("rtsp://${HOST}/live/${KEY}?token=${KEY}", "rtsp://10.0.0.1/live/***?***"),
        ("rtsp://u:${KEY}@10.0.0.1/${KEY}", "rtsp://***@10.0.0.1/***"),
        ("{url: 'rtsp://10.0.0.1/${KEY}', user: u, password: '${KEY}'}", "rtsp://***@10.0.0.1/***"),
        ("${URL}", "rtsp://***@10.0.0.1:554/***"),
        ("${URL}/sub", "rtsp://***@10.0.0.1:554/***"),
        ("rtsp://10.0.0.1${TAIL}", "rtsp://10.0.0.1/***"),
        ("rtsp://10.0.0.1/live?access_token=s3cr3t", "rtsp://10.0.0.1/live?***"),
    ],
)
def test_what_is_filled_in_behind_the_host_is_not_shown(tmp_path: Path, source: str, shown: str) -> None:
    environment = {
        "KEY": "s3cr3t",
        "HOST": "10.0.0.1",
        "TAIL": "/live/s3cr3t",
        "URL": "rtsp://admin:s3cr3t@10.0.0.1:554/live/s3cr3t?sig=s3cr3t",
    }
    config = read(tmp_path, source, environment=environment)
    assert config.cameras[0].source.redacted == shown
    assert "s3cr3t" in config.cameras[0].source.address
    assert "s3cr3t" not in repr(config)


@pytest.mark.parametrize(
    "error",
    [
        av.error.HTTPNotFoundError(404, "x"),
        av.error.HTTPUnauthorizedError(401, "x"),
        av.error.HTTPOtherClientError(400, "x"),
        av.error.InvalidDataError(1, "x"),
        ConnectionRefusedError(),
        TimeoutError(),
        OSError(5, "x"),
    ],
)
def test_no_failure_of_a_camera_shows_its_path(error: Exception) -> None:
    url = "rtsp://admin:s3cr3t@127.0.0.1/live/s3cr3t?sig=s3cr3t"
    reason = explain(error, url, timeout=1).reason
    assert reason.startswith("127.0.0.1:554: ")
    assert "s3cr3t" not in reason
    assert public(url) == "rtsp://127.0.0.1"


def test_the_environment_is_read_at_the_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "streams.yaml"
    file.write_text("site: {timezone: UTC}\ncameras: [{id: gate, source: 'rtsp://${MATTHAN_TEST_HOST}/main'}]\n")
    for host in ("10.0.0.1", "10.0.0.2"):
        monkeypatch.setenv("MATTHAN_TEST_HOST", host)
        assert load(file).cameras[0].source.address == f"rtsp://{host}/main"


def test_the_database_password_is_filled_in_and_hidden(tmp_path: Path) -> None:
    config = read(tmp_path, "rtsp://h/x", storage="storage: {database: 'postgresql://m:${PASSWORD}@db/m'}")
    assert config.storage.database is not None
    assert config.storage.database.get_secret_value() == f"postgresql://m:{ENCODED}@db/m"
    assert "s3cr3t" not in repr(config)


@pytest.mark.parametrize(
    "source",
    [
        "rtsp://admin:${PASSWORD}@10.0.0.1:port/main",
        "rtsp://admin:${PASSWORD}@/main",
        "http://admin:${PASSWORD}@10.0.0.1/main",
        "admin:${PASSWORD}@10.0.0.1/main",
        "${PASSWORD}",
        "${PASSWORD}/${MISSING}",
        "rtsp:/admin:${PASSWORD}@10.0.0.1/main",
        "{url: 'rtsp://u@10.0.0.1/main', user: '${PASSWORD}', password: '${PASSWORD}'}",
        "{url: 'rtsp://10.0.0.1/main', password: '${PASSWORD}'}",
        "{url: 'rtsp://10.0.0.1/main', start: '${PASSWORD}'}",
        "{url: 'rtsp://10.0.0.1/main', transport: '${PASSWORD}'}",
        "{url: ['${PASSWORD}']}",
        "rtsp://admin:s3cr3t@10.0.0.1:port/main",
        "rtsp://admin:a/s3cr3t@10.0.0.1/main@x:port",
        "rtsp://[admin:s3cr3t@x/",
        "rtsp://10.0.0.1:x/?user=admin&password=s3cr3t",
        "'rtsp://admin:${UNSET:-s3cr3t}@10.0.0.1:port/'",
        "*s3cr3t",
        "!s3cr3t x",
        "'s3cr3t: x",
        "rtsp://admin: s3cr3t: x",
        "@s3cr3t",
    ],
)
def test_no_error_shows_a_secret(tmp_path: Path, source: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, source)
    assert "s3cr3t" not in str(raised.value)
    assert "s3cr3t" not in "".join(traceback.format_exception(raised.value))
    assert "s3cr3t" not in repr(raised.value.problems)


secret_texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)


@given(secret_texts)
def test_expansion_keeps_every_character(secret: str) -> None:
    assert expand("${X}", {"X": secret}, Path()) == secret
    assert expand("a${X}b${Y:-c}", {"X": secret}, Path()) == f"a{secret}bc"
    assert expand("$${X} $5", {"X": secret}, Path()) == "${X} $5"


@given(user=secret_texts, password=secret_texts, host=st.from_regex(r"[a-z0-9.]{1,20}(:[0-9]{1,4})?", fullmatch=True))
def test_redaction_leaves_the_host_and_hides_the_rest(user: str, password: str, host: str) -> None:
    url = expand(f"rtsp://${{U}}:${{P}}@{host}/main", {"U": user, "P": password}, Path())
    assert redact(url) == f"rtsp://***@{host}/main"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("rtsp://10.0.0.1/main", "rtsp://10.0.0.1/main"),
        ("samples/street.mp4", "samples/street.mp4"),
        ("rtsp://h/user=a&password=b&channel=1", "rtsp://h/user=***&password=***&channel=1"),
        ("rtsp://h/s?token=abc#x", "rtsp://h/s?***"),
        ("rtsp://h/s?abc", "rtsp://h/s?***"),
        ("rtsp://u:p@h/s?channel=1&authBasic=abc", "rtsp://***@h/s?***"),
        ("rtsp://h/s?apikey=ab@cd", "rtsp://***"),
        ("rtsp://u:p?w@h/s", "rtsp://***"),
        ("u:p@h/s?sig=abc", "***@h/s?***"),
        ("rtsp://h/access_token=abc/x", "rtsp://h/access_token=***/x"),
        ("75A?", "75A?"),
        ("postgresql://m:pw@db/m", "postgresql://***@db/m"),
    ],
)
def test_redaction(text: str, shown: str) -> None:
    assert redact(text) == shown


def test_a_secret_file_must_be_a_readable_small_text(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 70_000)
    (tmp_path / "folder").mkdir()
    for name, message in (
        ("large", "is larger than 64 KiB"),
        ("folder", "is not there"),
        ("nul\0", "is not there"),
    ):
        with pytest.raises(MissingSecretError, match=message):
            expand(f"${{file:{name}}}", {}, tmp_path)

"""`matthan status`: how the cameras are, from the running program or, when it does not run, from the database."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from rich.console import Group
from rich.table import Table
from rich.text import Text

from pipeline.config import Config
from pipeline.config.document import parse
from pipeline.config.operation import MetricsConfig
from pipeline.errors import ConfigError, MatThanError
from pipeline.paths import DataFolder
from pipeline.store import Repository

GOOD, BAD = {"live", "reading", "ended"}, {"failed", "stalled"}


def read(config: Config, data: DataFolder) -> dict[str, Any]:
    """The same mapping as /status of the running program gives, with `running` beside it.

    Raises:
        StoreError: it does not run, and the database cannot be opened.
        MatThanError: it does not run and never has.
    """
    running = _ask(config.metrics)
    return {"running": True, **running} if running is not None else {"running": False, **_look_up(config, data)}


def read_despite(fault: ConfigError, streams: Path) -> dict[str, Any]:
    """The status of the program that runs by an earlier version of a file that is wrong now.

    Raises `fault` when none answers where the file as it is says it would.
    """
    try:
        section = parse(streams.read_text("utf-8-sig")).value(("metrics",))
        metrics = MetricsConfig.model_validate(section or {})
    except (OSError, ValueError):
        metrics = MetricsConfig()
    running = _ask(metrics)
    if running is None:
        raise fault
    return {"running": True, **running}


def show(status: dict[str, Any], now: datetime | None = None) -> Group:
    """What a terminal shows of it; `now` is the moment that ages are counted to."""
    now = now or datetime.now(UTC)
    table = Table("camera", "state", "for", title=_headline(status, now), title_justify="left", expand=False)
    for number in ("in/s", "analysed/s", "dropped/s", "rate", "latency", "reconnects"):
        table.add_column(number, justify="right")
    for text in ("last frame", "last violation", "alerts"):
        table.add_column(text)
    for camera in status["cameras"]:
        table.add_row(*_row(camera, now))
    errors = [
        Text(f"{camera['id']}: {camera['error']}", style="red")
        for camera in status["cameras"]
        if camera.get("error") and camera["state"] not in GOOD
    ]
    lost = [
        Text(f"{camera['id']}: {camera['packets_lost']} packets of its video were left out, nobody took them in time")
        for camera in status["cameras"]
        if camera.get("packets_lost")
    ]
    told = (*_clock(status.get("clock")), *_storage(status), *_configuration(status.get("configuration"), now))
    return Group(table, *errors, *lost, *told)


def _clock(clock: dict[str, Any] | None) -> list[Text]:
    if clock is None:
        return []
    lines = []
    if clock["apart"]:
        lines.append(Text(f"this computer's clock stands {clock['apart']:+.1f} s apart from the time in use", "red"))
    if clock["set"]:
        lines.append(Text(f"{clock['set']}; events found before have the time as it was", "yellow"))
    return lines


def _storage(status: dict[str, Any]) -> list[Text]:
    """What does not get where it belongs."""
    lines = []
    if refused := status.get("refused"):
        lines.append(Text(f"{refused} findings were refused by the database: see spool/refused.jsonl", style="red"))
    if status.get("evidence", "written") != "written":
        lines.append(Text(f"evidence is {status['evidence']}: cameras wait for its disk", style="red"))
    if status.get("archive"):
        lines.append(Text(f"evidence waits for the archive: {status['archive']}", style="yellow"))
    return lines


def _configuration(configuration: dict[str, Any] | None, now: datetime) -> list[Text]:
    """What an operator must know of the file: that it is wrong, or that a part of it waits for a restart."""
    if configuration is None:
        return []
    lines = []
    if configuration["refused"]:
        since = _age(configuration["since"], now)
        lines.append(Text(f"streams.yaml is wrong since {since}, and an earlier one in force:", style="red"))
        lines.append(Text(configuration["refused"], style="red"))
    if configuration["note"]:
        lines.append(Text(f"streams.yaml: {configuration['note']}", style="yellow"))
    return lines


def _ask(metrics: MetricsConfig) -> dict[str, Any] | None:
    if not metrics.port:
        return None
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(metrics.address, metrics.address)  # noqa: S104 - compared only
    url = httpx.URL(scheme="http", host=host, port=metrics.port, path="/status")
    try:
        answer = httpx.get(url, timeout=3, trust_env=False)
        told = answer.raise_for_status().json()
    except (httpx.HTTPError, ValueError):
        return None
    return told if isinstance(told, dict) and "cameras" in told else None


def _look_up(config: Config, data: DataFolder) -> dict[str, Any]:
    database = config.storage.database
    url = database.get_secret_value() if database else data.database_url
    if database is None and not Path(data.database_url.removeprefix("sqlite:///")).exists():
        raise MatThanError(f"nothing runs and {data.root} holds no database: start `matthan run` first")
    with Repository.open(url) as repository:
        lasting: dict[str, list[dict[str, Any]]] = {}
        for alert in repository.alerts(lasting=True):
            lasting.setdefault(alert.camera, []).append({"kind": alert.kind, "since": alert.start.isoformat()})
        newest = repository.newest_violations()
        cameras = [
            {
                "id": camera.id,
                "name": camera.name or camera.id,
                "state": camera.state,
                "since": _iso(camera.since),
                "last_frame": _iso(camera.last_frame),
                "reconnects": camera.reconnects,
                "error": camera.last_error or None,
                "last_violation": _iso(newest.get(camera.id)),
                "alerts": lasting.get(camera.id, []),
            }
            for camera in repository.cameras()
        ]
    return {"cameras": cameras}


def _headline(status: dict[str, Any], now: datetime) -> str:
    if not status["running"]:
        return "matthan run does not run; this is how it left the cameras"
    parts = [
        f"runs for {_age(status['started'], now)}",
        f"database {status['database']}",
        f"engine {status['inference_busy']:.0%} busy",
        f"{status['spool']} records wait" if status["spool"] else "",
        f"overload, step {status['overload_level']}" if status["overload_level"] else "",
        "frames are lost, and no rate can be lowered further" if status.get("overload_spent") else "",
    ]
    return ", ".join(part for part in parts if part)


def _row(camera: dict[str, Any], now: datetime) -> list[Text]:
    state = camera["state"]
    style = "green" if state in GOOD else "red" if state in BAD else "yellow"
    share, latency = camera.get("rate_share"), camera.get("latency")
    alerts = ", ".join(f"{alert['kind']} {_age(alert['since'], now)}" for alert in camera.get("alerts", ()))
    return [
        Text(camera["id"]),
        Text(state, style=style),
        Text(_age(camera["since"], now)),
        *(Text(_number(camera.get(name))) for name in ("fps", "analysed_fps", "dropped_fps")),
        Text("" if share is None else f"{share:.0%}", style="" if share in (None, 1.0) else "yellow"),
        Text("" if latency is None else f"{latency:.2f} s"),
        Text(str(camera["reconnects"])),
        Text(_age(camera["last_frame"], now)),
        Text(_age(camera.get("last_violation"), now)),
        Text(alerts, style="red"),
    ]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _age(moment: str | None, now: datetime) -> str:
    """Time since then in its largest unit, as in `12 s`, `5 min`, `3 h`, `2 d`."""
    if moment is None:
        return ""
    seconds = max(0.0, (now - datetime.fromisoformat(moment)).total_seconds())
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length:.0f} {unit}"
    return f"{seconds:.0f} s"


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()

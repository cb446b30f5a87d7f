"""What a changed streams.yaml would touch: the same as a reload does, with the settings and the ids that change."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.config import Config, ConfigVersion, compare, load
from pipeline.config.differences import Differences, differences
from pipeline.paths import DataFolder
from pipeline.store import Repository
from tests.store.makers import NOON

CAMERA: dict[str, Any] = {
    "id": "gate",
    "source": "rtsp://10.0.0.1/main",
    "zones": [{"id": "road", "polygon": [[0, 0], [1, 0], [1, 1]]}],
    "rules": [{"kind": "crowd"}, {"kind": "fire"}, {"kind": "plate", "watchlist_distance": 0.3}],
}
OTHER = {"id": "other", "source": "rtsp://10.0.0.2/main"}


def config(*cameras: dict[str, Any], **sections: Any) -> Config:
    return Config.model_validate({"site": {"timezone": "Asia/Ho_Chi_Minh"}, "cameras": cameras, **sections})


def between(old: Config, new: Config) -> Differences:
    return differences(ConfigVersion.of(old), ConfigVersion.of(new))


CHANGES: list[dict[str, Any]] = [
    {},
    {"rate": 5},
    {"name": "Cổng"},
    {"location": {"lat": 16.4, "lon": 107.5, "heading": 90}},
    {"groups": ["north"], "rate": 4},
    {"source": "rtsp://10.0.0.9/main"},
    {"zones": []},
    {"rules": [{"kind": "crowd", "people": 40}]},
    {"rules": [*CAMERA["rules"][:2], {"kind": "plate", "watchlist_distance": 0.6}]},
    {"enabled": False},
    {"evidence": {"before": 9}},
]


@pytest.mark.parametrize("settings", CHANGES, ids=str)
def test_it_tells_what_a_reload_does(settings: dict[str, Any]) -> None:
    old, new = config(CAMERA, OTHER), config({**CAMERA, **settings}, OTHER)
    done, told = compare(old, new), between(old, new)
    effects = {
        "is added": [camera.id for camera in done.added],
        "is removed": list(done.removed),
        "is restarted": [camera.id for camera in done.restarted],
        "changes as it goes on": [camera.id for camera in done.refreshed],
    }
    assert {effect: [each.camera for each in told.cameras if each.effect == effect] for effect in effects} == effects
    assert (told.later, told.at_once) == (done.later, ("notifications",) if done.notifications else ())
    assert bool(told) is bool(done)


@pytest.mark.parametrize("settings", CHANGES, ids=str)
def test_ids_change_where_the_hash_of_a_rule_does(settings: dict[str, Any]) -> None:
    old, new = config(CAMERA), config({**CAMERA, **settings, "enabled": True})
    before, after = old.cameras[0], new.cameras[0]
    hashes = {rule.name: before.rule_hash(rule) for rule in before.rules}
    changed = {rule.name for rule in after.rules if hashes.get(rule.name, "") not in ("", after.rule_hash(rule))}
    assert {rule for camera in between(old, new).cameras for rule in camera.new_ids} == changed


def test_settings_are_told_by_their_place() -> None:
    rules = [{"kind": "crowd", "people": 40}, {"kind": "fire", "id": "smoke"}, *CAMERA["rules"][2:]]
    zones = [{"id": "road", "polygon": [[0, 0], [1, 0], [0, 1]]}, {"id": "yard", "polygon": [[0, 0], [1, 0], [1, 1]]}]
    (told,) = between(config(CAMERA), config({**CAMERA, "rate": 5, "rules": rules, "zones": zones})).cameras
    assert "rate: 10.0 → 5.0" in told.settings
    assert "rules[crowd].people: 10 → 40" in told.settings
    assert {"rules: fire is taken away", "rules: smoke comes", "zones: yard comes"} <= set(told.settings)
    assert told.new_ids == ("crowd", "plate")


def test_sections_wait_or_do_not() -> None:
    target = {
        "targets": [{"id": "desk", "kind": "webhook", "url": "https://10.0.0.3/a", "secret": "x" * 16}],
        "routes": [],
    }
    told = between(config(CAMERA), config(CAMERA, notifications=target, review={"owner_days": 5}, readers={"group": 2}))
    assert (told.cameras, told.at_once, told.later, told.served) == ((), ("notifications",), ("readers",), ("review",))


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """What is in force, and what shall be."""
    text = "site: {timezone: Asia/Ho_Chi_Minh}\ncameras:\n  - id: gate\n    source: rtsp://u:secret@10.0.0.1/main\n"
    old, new = tmp_path / "old.yaml", tmp_path / "streams.yaml"
    old.write_text(text)
    new.write_text(text.replace("secret", "other") + "    rate: 5\n  - {id: yard, source: rtsp://10.0.0.2/main}\n")
    return old, new


def test_check_compares_with_a_file(files: tuple[Path, Path], tmp_path: Path) -> None:
    old, new = files
    told = CliRunner().invoke(app, ["check", str(new), "--against", str(old), "--data", str(tmp_path)]).output
    assert "gate is restarted" in told and "rate: 10.0 → 5.0" in told and "yard is added" in told
    assert "secret" not in told.replace("secrets", "") and "other" not in told
    new.write_text(old.read_text().replace("secret", "other"))
    told = CliRunner().invoke(app, ["check", str(new), "--against", str(old), "--data", str(tmp_path)]).output
    assert "gate is restarted: a secret of its source has changed" in told


def test_check_compares_with_what_runs(files: tuple[Path, Path], tmp_path: Path) -> None:
    old, new = files
    arguments = ["check", str(new), "--against", "running", "--data", str(tmp_path)]
    nothing = CliRunner().invoke(app, arguments)
    assert "no program runs by" in str(nothing.exception)
    version = ConfigVersion.of(load(old))
    with Repository.open(DataFolder(tmp_path).database_url) as repository:
        repository.put_in_force(uuid4(), str(new), version.hash, version.text, note="", process=7, time=NOON)
    told = CliRunner().invoke(app, arguments)
    assert told.exit_code == 0
    assert "gate is restarted" in told.output and "yard is added" in told.output
    assert "changed secrets are not told" in told.output

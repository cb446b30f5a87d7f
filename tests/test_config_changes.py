"""What differs between two configurations, when a file counts as changed, and what is kept of a version."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from pipeline.config import Config, ConfigFile, ConfigVersion, compare, in_force, load
from pipeline.errors import ConfigError

CAMERA = {
    "id": "gate",
    "source": "rtsp://10.0.0.1/main",
    "zones": [{"id": "road", "polygon": [[0, 0], [1, 0], [1, 1]]}],
    "rules": [{"kind": "crowd"}],
}


def config(*cameras, **sections) -> Config:
    return Config.model_validate({"site": {"timezone": "Asia/Ho_Chi_Minh"}, "cameras": cameras, **sections})


def changed(**settings):
    """What a change of one camera's settings means for it; the other camera must never be touched."""
    other = {"id": "other", "source": "rtsp://10.0.0.2/main"}
    changes = compare(config(CAMERA, other), config({**CAMERA, **settings}, other))
    touched = {name: [camera.id for camera in getattr(changes, name)] for name in ("added", "restarted", "refreshed")}
    assert all("other" not in ids for ids in touched.values())
    return {name for name, ids in touched.items() if ids} | ({"removed"} if changes.removed else set())


@pytest.mark.parametrize(
    "settings",
    [
        {"rate": 5},
        {"source": "rtsp://10.0.0.9/main"},
        {"source": {"url": "rtsp://10.0.0.1/main", "user": "a", "password": "b"}},
        {"source": {"url": "rtsp://10.0.0.1/main", "transport": "udp"}},
        {"detectors": ["hazard-nano"]},
        {"zones": [{"id": "road", "polygon": [[0, 0], [1, 0], [0.5, 1]]}]},
        {"rules": []},
        {"schedule": ["daily 06:00-22:00"]},
        {"timezone": "UTC"},
        {"evidence": {"before": 9}},
        {"health": {"dead": 10}},
        {"priority": 9},
    ],
    ids=str,
)
def test_what_needs_a_restart_of_the_camera(settings):
    assert changed(**settings) == {"restarted"}


@pytest.mark.parametrize(
    "settings",
    [{"name": "Cổng"}, {"ward": "Phú Xuân"}, {"district": "Bắc"}, {"location": {"lat": 16.4, "lon": 107.5}}],
    ids=str,
)
def test_what_changes_while_the_camera_goes_on(settings):
    assert changed(**settings) == {"refreshed"}


def test_nothing_changes():
    assert changed() == set()
    assert not compare(config(CAMERA), config(CAMERA))
    assert str(compare(config(CAMERA), config(CAMERA))) == "nothing changes"


def test_cameras_come_and_go_by_their_id_and_by_enabled():
    new = {**CAMERA, "id": "new"}
    changes = compare(config(CAMERA), config(new))
    assert ([camera.id for camera in changes.added], changes.removed) == (["new"], ("gate",))
    off = {**CAMERA, "enabled": False}
    assert compare(config(CAMERA), config(off)).removed == ("gate",)
    assert [camera.id for camera in compare(config(off), config(CAMERA)).added] == ["gate"]


def test_settings_of_the_program_wait_for_its_next_start():
    old, new = config(CAMERA), config({**CAMERA, "rate": 4}, inference={"threads": 2}, storage={"evidence": "x"})
    changes = compare(old, new)
    assert changes.later == ("storage", "inference")
    assert "storage and inference: changed, holds from the program's next start" in str(changes)
    kept = in_force(old, new)
    assert (kept.storage, kept.inference) == (old.storage, old.inference)
    assert kept.cameras == new.cameras


def test_what_the_api_takes_when_it_starts_waits_for_that_and_the_sites_name_for_nothing():
    old, new = config(CAMERA), config(CAMERA, publication={"detected_by": "CSGT"}, review={"owner_days": 5})
    changes = compare(old, new)
    assert (changes.later, changes.served) == ((), ("review", "publication"))
    assert str(changes) == "review and publication: changed, holds from the next start of matthan serve"
    renamed = old.model_copy(update={"site": old.site.model_copy(update={"name": "Đà Nẵng"})})
    assert str(compare(old, renamed)) == "site changed"
    assert in_force(old, renamed).site.name == "Đà Nẵng"


def test_another_zone_of_the_site_reaches_the_cameras():
    changes = compare(config(CAMERA), Config.model_validate({"site": {"timezone": "UTC"}, "cameras": [CAMERA]}))
    assert [camera.id for camera in changes.restarted] == ["gate"]
    assert changes.later == ()


def test_a_watchlist_only_refreshes(tmp_path):
    (tmp_path / "watched.csv").write_text("plate,reason,expires\n75A12345,stolen,\n")
    path = written(tmp_path, "rules: [{kind: plate, watchlist: watched.csv}]")
    old = load(path)
    (tmp_path / "watched.csv").write_text("plate,reason,expires\n75A54321,stolen,\n")
    changes = compare(old, new := load(path))
    assert [camera.id for camera in changes.refreshed] == ["gate"]
    assert changes.restarted == ()
    assert ConfigVersion.of(old).hash != ConfigVersion.of(new).hash


def written(folder: Path, settings: str = "", source: str = "rtsp://10.0.0.1/main") -> Path:
    path = folder / "streams.yaml"
    path.write_text(f"site: {{timezone: UTC}}\ncameras:\n  - id: gate\n    source: {source}\n    {settings}\n", "utf-8")
    return path


class TestConfigFile:
    def test_a_change_counts_once_it_has_settled(self, tmp_path):
        file = ConfigFile(written(tmp_path))
        file.load()
        assert [file.changed() for _ in range(3)] == [False, False, False]
        written(tmp_path, "rate: 5")
        assert [file.changed() for _ in range(3)] == [False, True, True]
        file.load()
        assert [file.changed() for _ in range(2)] == [False, False]

    def test_a_file_that_is_still_written_is_left_alone(self, tmp_path):
        file = ConfigFile(written(tmp_path))
        file.load()
        for rate in range(3):
            written(tmp_path, f"rate: {rate + 5}{'0' * rate}")
            assert not file.changed()
        assert file.changed()

    def test_a_file_put_in_its_place_counts_even_with_the_same_size_and_time(self, tmp_path):
        path = written(tmp_path, "rate: 5")
        file = ConfigFile(path)
        file.load()
        before = path.stat()
        other = tmp_path / "other.yaml"
        other.write_text(path.read_text("utf-8").replace("5", "6"), "utf-8")
        os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
        other.replace(path)
        assert [file.changed(), file.changed()] == [False, True]

    def test_secrets_and_watchlists_count_also_those_that_are_missing(self, tmp_path):
        path = written(
            tmp_path,
            "rules: [{kind: plate, watchlist: watched.csv}]",
            "{url: rtsp://10.0.0.1/main, user: u, password: '${file:secret}'}",
        )
        file = ConfigFile(path)
        with pytest.raises(ConfigError):
            file.load()
        for name, text in (("secret", "hunter2"), ("watched.csv", "plate,reason,expires\n75A12345,stolen,\n")):
            (tmp_path / name).write_text(text)
            assert [file.changed(), file.changed()] == [False, True]
            try:
                file.load()
            except ConfigError as error:
                assert "watched.csv" in str(error)
        (tmp_path / "secret").write_text("hunter3")
        assert [file.changed(), file.changed()] == [False, True]


def test_a_version_holds_all_settings_and_no_secret(tmp_path):
    path = tmp_path / "streams.yaml"
    path.write_text(
        """
site: {name: Huế, timezone: UTC}
storage: {database: "postgresql://u:hunter2@db/x"}
notifications:
  targets: [{id: desk, kind: webhook, url: "https://x/${TOKEN}", secret: "hunter2hunter2hunter2"}]
cameras:
  - {id: one, source: "rtsp://u:hunter2@10.0.0.1/${TOKEN}/main", rate: 5}
  - {id: two, source: {url: "rtsp://10.0.0.2/", user: hunter2, password: hunter2}}
""",
        "utf-8",
    )
    version = ConfigVersion.of(load(path, {"TOKEN": "hunter2"}))
    assert "hunter2" not in version.text
    assert hashlib.sha256(version.text.encode()).hexdigest() == version.hash
    settings = json.loads(version.text)
    assert settings["cameras"][0]["source"]["url"] == "rtsp://***@10.0.0.1/***/main"
    assert settings["cameras"][0]["rate"] == 5
    assert version == ConfigVersion.of(load(path, {"TOKEN": "hunter2"}))

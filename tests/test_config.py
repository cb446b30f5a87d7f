"""What a good streams.yaml gives: inheritance, layout, schedule, hashes, times."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema_rs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from pipeline.config import CameraConfig, Config, LaneConfig, Window, ZoneConfig, json_schema, load
from pipeline.errors import ConfigError
from pipeline.rules import RuleConfig, rule_types
from tests.test_config_faults import FILES

GOOD = """
site: {name: Huế, timezone: Asia/Ho_Chi_Minh}
defaults:
  rate: 8
  detectors: [road-nano, {model: hazard-nano, rate: 2, slices: 2x2, threshold: 0.4}]
  evidence: {before: 7, after: 9}
  schedule: [mon-fri 06:00-22:00]
storage: {evidence: kept}
cameras:
  - id: gate
    name: Cửa Ngọ Môn
    source: rtsp://10.0.0.1/main
    location: {lat: 16.4677, lon: 107.5792}
    district: Phú Xuân
    evidence: {before: 3}
    zones:
      - {id: square, polygon: [[0, 0.5], [1, 0.5], [1, 1], [0, 1]]}
    lanes:
      - {id: north, polygon: [[0.5, 0], [1, 0], [1, 1], [0.5, 1]], direction: [[0.75, 1], [0.75, 0.5], [0.8, 0]]}
    ground: {points: [[0.2, 1], [0.8, 1], [0.6, 0.5], [0.4, 0.5]], metres: [[0, 0], [8, 0], [8, 20], [0, 20]]}
    rules:
      - {kind: crowd, zones: [square], people: 20}
      - {kind: crowd, id: queue, people: 5}
  - id: yard
    enabled: false
    source: {url: yard.mp4, start: 2026-03-02 07:00:00, pattern: yard_%Y%m%d_%H%M%S}
    detectors: [road-nano]
    rate: 5
    schedule: []
    timezone: UTC
"""


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "yard.mp4").touch()
    (tmp_path / "streams.yaml").write_text(GOOD, "utf-8")
    return load(tmp_path / "streams.yaml", {})


def camera(**settings: Any) -> CameraConfig:
    return CameraConfig.model_validate({"id": "gate", "source": "rtsp://10.0.0.1/main", **settings})


def test_cameras_inherit_what_they_do_not_say(config: Config) -> None:
    gate, yard = config.cameras
    assert gate.rate == 8
    assert [(one.model, one.rate, one.slices, one.threshold) for one in gate.detectors] == [
        ("road-nano", None, (1, 1), None),
        ("hazard-nano", 2, (2, 2), 0.4),
    ]
    assert (gate.evidence.before, gate.evidence.after) == (3, 9)
    assert (yard.evidence.before, yard.evidence.after) == (7, 9)
    assert (gate.timezone, yard.timezone) == ("Asia/Ho_Chi_Minh", "UTC")
    assert yard.rate == 5
    assert [one.model for one in yard.detectors] == ["road-nano"]
    assert yard.schedule == ()


def test_only_enabled_cameras_are_active(config: Config) -> None:
    assert [one.id for one in config.active_cameras] == ["gate"]


def test_a_camera_is_found_by_id_or_the_nearest_is_named(config: Config, tmp_path: Path) -> None:
    assert config.camera("yard").id == "yard"
    with pytest.raises(ConfigError) as raised:
        config.camera("gaet")
    assert str(raised.value) == (
        f"{tmp_path}/streams.yaml: cameras: no camera has the id 'gaet' (did you mean 'gate'?); there are gate, yard"
    )


def test_relative_paths_begin_at_the_file(config: Config, tmp_path: Path) -> None:
    assert config.camera("yard").source.path == tmp_path / "yard.mp4"
    assert config.storage.evidence_folder == tmp_path / "kept"


def test_a_start_without_offset_is_local_time() -> None:
    source = {"url": "yard.mp4", "start": "2026-03-02 07:00:00"}
    assert camera(source=source, timezone="Asia/Ho_Chi_Minh").start == datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
    source["start"] = "2026-03-02T07:00:00+02:00"
    assert camera(source=source, timezone="Asia/Ho_Chi_Minh").start == datetime(2026, 3, 2, 5, 0, tzinfo=UTC)
    assert camera().start is None


def test_the_layout_is_in_pixels(config: Config) -> None:
    layout = config.camera("gate").layout(1280, 720)
    assert layout.zones["square"].polygon.tolist() == [[0, 360], [1280, 360], [1280, 720], [0, 720]]
    assert layout.lanes["north"].direction.tolist() == [[960, 720], [960, 360], [1024, 0]]
    assert np.allclose(layout.lanes["north"].heading((960.0, 500.0)), (0, -1))
    assert layout.ground is not None
    corners = np.array([[256.0, 720.0], [1024.0, 720.0], [768.0, 360.0], [512.0, 360.0]])
    assert np.allclose(layout.ground.to_metres(corners), [[0, 0], [8, 0], [8, 20], [0, 20]], atol=1e-6)


@given(width=st.integers(16, 8000), height=st.integers(16, 8000))
def test_a_camera_may_change_its_resolution(width: int, height: int) -> None:
    zone = ZoneConfig(id="square", polygon=((0.1, 0.2), (0.9, 0.2), (0.5, 0.8)))
    assert np.allclose(zone.in_pixels(width, height).polygon / (width, height), zone.polygon)


points = st.tuples(st.floats(0, 1), st.floats(0, 1))


@given(polygon=st.lists(points, max_size=7), direction=st.lists(points, max_size=4))
def test_a_lane_that_is_accepted_has_a_heading_everywhere(polygon: list[Any], direction: list[Any]) -> None:
    try:
        lane = LaneConfig.model_validate({"id": "north", "polygon": polygon, "direction": direction})
    except ValueError:
        return
    for width, height in ((640, 360), (1920, 1080)):
        heading = lane.in_pixels(width, height).heading((width / 2, height / 2))
        assert np.isclose(np.linalg.norm(heading), 1)


def test_geometry_alone_and_settings_alone_change_the_rule_hash() -> None:
    zone = {"id": "square", "polygon": [[0, 0], [1, 0], [1, 1]]}
    rule = {"kind": "crowd", "zones": ["square"], "people": 20}

    def hashed(**settings: Any) -> str:
        one = camera(**{"zones": [zone], "rules": [rule], **settings})
        return one.rule_hash(one.rules[0])

    assert hashed() == hashed(name="Gate", rate=3, source="rtsp://10.0.0.2/sub", district="x", ward="y")
    assert hashed() == hashed(rules=[{**rule, "id": ""}]), "a default written out is the same setting"
    assert hashed() != hashed(rules=[{**rule, "people": 21}])
    assert hashed() != hashed(zones=[{**zone, "polygon": [[0, 0], [1, 0], [1, 0.9]]}])
    assert len(hashed()) == 64


def test_the_rule_hash_is_that_of_the_canonical_json() -> None:
    """Events are found again by this hash, so it may not change unnoticed."""
    one = camera(zones=[{"id": "a", "polygon": [[0, 0], [1, 0], [1, 1]]}], rules=[])
    assert one.rule_hash(RuleConfig(kind="x")) == "596a75303620d28f3c138349819b3ff542e4d3a1276a425f3a180a0cc3adf258"


def test_hashes_are_the_same_in_every_process() -> None:
    """Sets of texts come in another order in each process."""
    program = (
        "from pipeline.config import CameraConfig\n"
        "lane = {'id': 'a', 'polygon': [[0, 0], [1, 0], [1, 1]], 'direction': [[0.9, 0.1], [0.9, 0.8]]}\n"
        "one = CameraConfig.model_validate({'id': 'gate', 'source': 'rtsp://h/x', 'lanes': [lane],"
        " 'schedule': ['daily 06:00-22:00'], 'rules': [{'kind': 'wrong_way'}, {'kind': 'plate'}]})\n"
        "print(one.hash, *map(one.rule_hash, one.rules))"
    )

    def printed(seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        return subprocess.check_output([sys.executable, "-c", program], env=environment, text=True)

    assert printed("1") == printed("2")


def test_the_camera_hash_knows_what_is_analysed_and_no_secret() -> None:
    zone = {"id": "a", "polygon": [[0, 0], [1, 0], [1, 1]]}
    source = {"url": "rtsp://10.0.0.2/main", "user": "admin", "password": "hunter2"}
    same: list[dict[str, Any]] = [
        {"name": "Gate"},
        {"source": source},
        {"district": "x"},
        {"ward": "y"},
        {"retention": {"counts": 1}},
    ]
    other: list[dict[str, Any]] = [{"rate": 6}, {"zones": [zone]}, {"detectors": ["hazard-nano"]}]
    other += [{"rules": [{"kind": "crowd"}]}, {"schedule": ["mon 06:00-07:00"]}, {"evidence": {"before": 1}}]
    other += [{"id": "yard"}, {"timezone": "Asia/Tokyo"}]
    assert {camera(**settings).hash for settings in same} == {camera().hash}
    assert len({camera(**settings).hash for settings in other} | {camera().hash}) == len(other) + 1


MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "inside", "outside"),
    [
        ("mon-fri 06:00-22:00", [(0, 6, 0), (4, 21, 59)], [(0, 5, 59), (0, 22, 0), (5, 12, 0)]),
        ("fri-mon 00:00-24:00", [(4, 0, 0), (5, 12, 0), (6, 23, 59), (0, 12, 0)], [(1, 0, 0), (3, 23, 59)]),
        ("sat,sun 08:00-09:00", [(5, 8, 0), (6, 8, 59)], [(4, 8, 0), (6, 9, 0)]),
        ("fri 22:00-05:00", [(4, 22, 0), (5, 4, 59)], [(4, 4, 0), (5, 5, 0), (5, 22, 0)]),
        ("daily 22:00-05:00", [(0, 0, 0), (6, 23, 0)], [(3, 5, 0), (3, 21, 59)]),
    ],
)
def test_windows_of_a_schedule(window: str, inside: list[tuple[int, ...]], outside: list[tuple[int, ...]]) -> None:
    def covered(day: int, hour: int, minute: int) -> bool:
        return Window(window).covers(MONDAY + timedelta(days=day, hours=hour, minutes=minute))

    assert all(covered(*moment) for moment in inside)
    assert not any(covered(*moment) for moment in outside)


def test_the_schedule_is_in_local_time() -> None:
    scheduled = camera(schedule=["mon 06:00-22:00"], timezone="Asia/Ho_Chi_Minh")
    assert scheduled.active(datetime(2026, 3, 1, 23, 0, tzinfo=UTC)), "06:00 on Monday in Huế"
    assert not scheduled.active(datetime(2026, 3, 2, 15, 0, tzinfo=UTC)), "22:00 on Monday in Huế"
    assert camera().active(MONDAY), "no schedule means always"


@given(start=st.integers(0, 1439), end=st.integers(0, 1440), minute=st.integers(0, 1439))
def test_a_daily_window_covers_its_length(start: int, end: int, minute: int) -> None:
    text = f"daily {start // 60:02d}:{start % 60:02d}-{end // 60:02d}:{end % 60:02d}"
    if start == end:
        with pytest.raises(ValueError, match="length"):
            Window(text)
        return
    expected = start <= minute < end if start < end else not end <= minute < start
    assert Window(text).covers(MONDAY + timedelta(minutes=minute)) == expected


def test_a_config_survives_a_worker_process(config: Config) -> None:
    again = pickle.loads(pickle.dumps(config))  # noqa: S301
    assert again == config
    assert again.camera("yard").source.path == config.camera("yard").source.path


def test_many_cameras_are_read_in_reasonable_memory_and_order(tmp_path: Path) -> None:
    cameras = "".join(f"  - {{id: cam-{n:03d}, source: 'rtsp://10.0.{n // 250}.{n % 250}/main'}}\n" for n in range(563))
    (tmp_path / "streams.yaml").write_text(f"site: {{timezone: Asia/Ho_Chi_Minh}}\ncameras:\n{cameras}")
    config = load(tmp_path / "streams.yaml", {})
    assert [one.id for one in config.cameras] == [f"cam-{n:03d}" for n in range(563)]


class TestJsonSchema:
    def test_it_is_a_valid_schema_with_every_rule(self) -> None:
        schema = json_schema()
        assert jsonschema_rs.meta.is_valid(schema)
        rules = schema["$defs"]["CameraConfig"]["properties"]["rules"]["items"]
        assert set(rules["discriminator"]["mapping"]) == set(rule_types())

    def test_it_accepts_what_load_accepts(self) -> None:
        data = YAML(typ="safe", pure=True).load(GOOD.replace("2026-03-02 07:00:00", "'2026-03-02T07:00:00Z'"))
        assert [error.message for error in jsonschema_rs.Draft202012Validator(json_schema()).iter_errors(data)] == []

    @pytest.mark.parametrize("name", ["unknown_field", "rate", "transport", "rule_settings", "schedule", "pixels"])
    def test_it_refuses_what_load_refuses(self, name: str) -> None:
        file = next(file for file in FILES if file.stem.startswith(name))
        data = YAML(typ="safe", pure=True).load(file.read_text("utf-8"))
        assert not jsonschema_rs.Draft202012Validator(json_schema()).is_valid(data)

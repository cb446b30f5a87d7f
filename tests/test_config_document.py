"""YAML into data with places; nothing but ConfigError ever comes out of load."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from pipeline.config import Config, load
from pipeline.config.document import parse
from pipeline.errors import ConfigError
from pipeline.rules import rule_types

WORDS = [
    "site", "timezone", "UTC", "cameras", "id", "gate", "source", "rtsp://10.0.0.1/main", "url", "user", "password",
    "zones", "lanes", "polygon", "direction", "ground", "points", "metres", "rules", "kind", "crowd", "fire", "people",
    "detectors", "model", "slices", "2x2", "rate", "defaults", "schedule", "mon-fri 06:00-22:00", "evidence", "before",
    "storage", "database", "sqlite:///x.db", "inference", "provider", "cpu", "threads", "start", "${X}", "pattern",
]  # fmt: skip
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS) | st.text(max_size=12)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=5), inner),
    max_leaves=25,
)


def outcome(file: Path, content: bytes) -> Config | ConfigError:
    file.write_bytes(content)
    try:
        return load(file, {})
    except ConfigError as error:
        assert error.problems
        return error


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(alphabet=st.characters(codec="utf-8")) | st.text(alphabet="-:{}[]&*!|>'\"%@`#,? \n\tab0<.~\\ux"))
def test_any_text_is_a_config_or_a_config_error(tmp_path: Path, text: str) -> None:
    assert isinstance(outcome(tmp_path / "streams.yaml", text.encode()), Config | ConfigError)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary())
def test_any_bytes_are_a_config_or_a_config_error(tmp_path: Path, content: bytes) -> None:
    assert isinstance(outcome(tmp_path / "streams.yaml", content), Config | ConfigError)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(camera=values, site=values, rest=values)
def test_any_values_are_a_config_or_a_config_error(tmp_path: Path, camera: Any, site: Any, rest: Any) -> None:
    whole = {"site": site, "cameras": [camera, {"id": "gate", "source": rest, "rules": rest, "zones": rest}]}
    file = tmp_path / "streams.yaml"
    with file.open("w", encoding="utf-8") as stream:
        YAML(typ="safe", pure=True).dump(whole, stream)
    assert isinstance(outcome(file, file.read_bytes()), Config | ConfigError)


RULE_FIELDS = sorted({name for rule in rule_types().values() for name in rule.Config.model_fields} - {"kind"})


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(sorted(rule_types())), rule=st.dictionaries(st.sampled_from(RULE_FIELDS), values, max_size=5)
)
def test_any_settings_of_a_rule_are_a_config_or_a_config_error(tmp_path: Path, kind: str, rule: dict[str, Any]) -> None:
    camera = {"id": "gate", "source": "rtsp://10.0.0.1/main", "rules": [{**rule, "kind": kind}]}
    file = tmp_path / "streams.yaml"
    with file.open("w", encoding="utf-8") as stream:
        YAML(typ="safe", pure=True).dump({"site": {"timezone": "UTC"}, "cameras": [camera]}, stream)
    assert isinstance(outcome(file, file.read_bytes()), Config | ConfigError)


@given(values)
def test_data_agrees_with_the_yaml_library(value: Any) -> None:
    """Our own building of values from nodes gives what the library's loader gives, where both read YAML 1.2."""
    from io import StringIO  # noqa: PLC0415

    yaml, stream = YAML(typ="safe", pure=True), StringIO()
    yaml.width = 1_000_000  # where the library breaks lines, it cannot always read what it wrote
    yaml.dump({"value": value}, stream)
    expected = YAML(typ="safe", pure=True).load(stream.getvalue())
    document = parse(stream.getvalue())
    if not document.faults:
        assert repr(document.data) == repr(expected)


def test_places_of_values_and_keys() -> None:
    document = parse("site: {name: Huế}\ncameras:\n  - id: gate\n    rate:\n    zones: [a,\n      b]\n")
    assert document.data == {"site": {"name": "Huế"}, "cameras": [{"id": "gate", "rate": None, "zones": ["a", "b"]}]}
    assert document.place(("site", "name")) == (1, 14)
    assert document.place(("site", "name"), on_key=True) == (1, 8)
    assert document.place(("cameras", 0, "zones", 1)) == (6, 7)
    assert document.place(("cameras", 0, "rate")) == (4, 5)
    assert document.place(("cameras", 0, "polygon", 3)) == (3, 5), "what is missing is sought at its section"
    assert document.value(("cameras", 0, "zones", 1)) == "b"
    assert document.value(("cameras", 7, "zones")) is None


def test_aliases_and_merges_are_read_and_point_at_their_anchor() -> None:
    document = parse("a: &x {rate: 5, name: A}\nb: {<<: *x, name: B}\nc: {<<: [{name: C}, *x]}\nd: *x\n")
    assert document.faults == []
    assert document.data["b"] == {"name": "B", "rate": 5}
    assert document.data["c"] == {"name": "C", "rate": 5}
    assert document.data["d"] == {"name": "A", "rate": 5}
    assert document.place(("b", "rate")) == (1, 14)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("07:00", "07:00"),
        ("yes", "yes"),
        ("0x1F", 31),
        ("0o17", 15),
        ("017", 17),
        ("1_000", 1000),
        ("1e3", 1000.0),
        ("-.inf", float("-inf")),
        ("~", None),
        ("True", True),
        ("2026-03-02 07:00:00", "2026-03-02 07:00:00"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: Any) -> None:
    assert parse(f"a: {text}\n").data == {"a": value}


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    found = outcome(tmp_path / "streams.yaml", b"\xef\xbb\xbfsite: {timezone: UTC}\ncameras: []\n")
    assert str(found).endswith("streams.yaml:2:10: cameras: found an empty list; at least 1 entry is needed")

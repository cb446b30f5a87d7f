"""docs/streams.md tells the fields of the schema as they are, and streams.yaml is a good file.

`python -m tests.test_streams_doc` writes the settings of the rules into the document anew.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import shapely

from pipeline.check import check
from pipeline.config import Config
from pipeline.paths import DataFolder
from pipeline.rules import rule_types
from samples import load_truth, sample_paths

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "streams.md"
SETTINGS = re.compile(r"(<!-- settings of the rules: .*? -->\n)(.*?)(<!-- end of the settings -->\n)", re.DOTALL)


def settings_text() -> str:
    """A table for each rule: field, meaning, allowed values, default."""
    return "\n" + "".join(
        f"#### {kind}\n\n{settings_table(rule.Config)}\n" for kind, rule in sorted(rule_types().items())
    )


def settings_table(config: Any) -> str:
    rows = ["| field | meaning | allowed | default |", "| --- | --- | --- | --- |"]
    properties = config.model_json_schema()["properties"]
    for name, field in config.model_fields.items():
        if name not in {"kind", "id"}:
            meaning = " ".join((field.description or "").split())
            rows.append(f"| `{name}` | {meaning} | {allowed(properties[name])} | {shown(field.default)} |")
    return "\n".join(rows) + "\n"


def allowed(schema: dict[str, Any]) -> str:
    if "items" in schema:
        return f"list of {allowed(schema['items'])}"
    if "enum" in schema:
        return ", ".join(schema["enum"])
    if "anyOf" in schema:
        return " or ".join(allowed(one) for one in schema["anyOf"] if one.get("type") != "null")
    words = {"integer": "whole number", "string": "text", "boolean": "true or false"}
    kind = words.get(schema.get("type", ""), schema.get("type", ""))
    limits = [
        f"{word} {schema[key]:g}"
        for key, word in (
            ("minimum", "from"),
            ("exclusiveMinimum", "above"),
            ("maximum", "to"),
            ("exclusiveMaximum", "below"),
        )
        if key in schema
    ]
    return " ".join([kind, *limits])


def shown(default: Any) -> str:
    if isinstance(default, set | frozenset):
        default = tuple(sorted(default))
    if isinstance(default, tuple):
        return ", ".join(f"`{one}`" for one in default) or "none"
    return "none" if default is None else f"`{default}`"


def test_the_document_tells_the_settings_of_every_rule() -> None:
    found = SETTINGS.search(DOCUMENT.read_text("utf-8"))
    assert found is not None
    assert found[2] == settings_text(), "run python -m tests.test_streams_doc"


def test_the_document_names_every_field() -> None:
    text = DOCUMENT.read_text("utf-8")
    code = " ".join(re.findall(r"`[^`\n]+`|^ {4}.*$|^#+ .*$", text, re.MULTILINE))
    schema = Config.model_json_schema()
    fields = {
        name
        for title, section in schema["$defs"].items()
        if title.endswith("Config") and title != "RuleConfig"
        for part in section.get("anyOf", [section])
        for name in part.get("properties", {})
    }
    assert fields | set(schema["properties"]) <= set(re.findall(r"[a-z_]+", code))


@pytest.mark.skipif(
    not all(clip.exists() for clip, _ in sample_paths().values()), reason="the samples are not rendered"
)
class TestExample:
    def test_it_is_good(self, tmp_path: Path) -> None:
        report = check(ROOT / "streams.yaml", {}, DataFolder.resolve(tmp_path))
        assert report.problems == ()
        assert report.faults == ()

    def test_its_places_and_times_are_those_of_the_samples(self, tmp_path: Path) -> None:
        """Places are drawn by hand: they have the truth's ids and cover its places nearly."""
        config = check(ROOT / "streams.yaml", {}, DataFolder.resolve(tmp_path)).config
        assert config is not None
        for clip, truth_path in sample_paths().values():
            truth = load_truth(truth_path)
            (camera,) = [camera for camera in config.cameras if camera.source.path.name == clip.name]
            assert camera.start == truth.anchor
            layout = camera.layout(1000, 1000)
            for region in (*truth.zones, *truth.lanes):
                place = {**layout.zones, **layout.lanes}[region.id]
                assert covered(region.polygon, place.polygon / 1000) > 0.9, (camera.id, region.id)


def covered(region: Any, place: Any) -> float:
    """The share of the region that lies in the place."""
    return float(shapely.Polygon(region).intersection(shapely.Polygon(place)).area / shapely.Polygon(region).area)


if __name__ == "__main__":
    DOCUMENT.write_text(
        SETTINGS.sub(lambda found: found[1] + settings_text() + found[3], DOCUMENT.read_text("utf-8")), "utf-8"
    )

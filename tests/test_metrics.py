"""What is measured, where it shows, and that nothing shows what is not measured."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from pipeline.metrics import Metrics

ROOT = Path(__file__).parents[1]
DASHBOARD = ROOT / "deploy" / "grafana" / "matthan.json"
LABELS = {"camera", "reason", "rule", "kind", "queue", "model", "target", "state"}


def touched() -> Metrics:
    """Metrics each of which has been used once."""
    metrics = Metrics()
    for metric in vars(metrics).values():
        names = getattr(metric, "_labelnames", ())
        if names:
            metric.labels(*("x" for _ in names))
    return metrics


def samples(metrics: Metrics) -> dict[str, set[str]]:
    """The labels of each series that a scrape brings."""
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(generate_latest(metrics.registry).decode()):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def test_no_label_can_hold_a_plate_or_a_track():
    for name, labels in samples(touched()).items():
        if name.startswith("matthan_"):
            assert labels - {"le"} <= LABELS, name


def test_two_programs_in_one_process_do_not_share_counts():
    first, second = Metrics(), Metrics()
    first.frames_received.labels("gate").inc(3)
    assert second.registry.get_sample_value("matthan_frames_received_total", {"camera": "gate"}) is None


def test_a_camera_that_is_forgotten_leaves_nothing_behind():
    metrics = touched()
    metrics.frames_received.labels("gate").inc()
    metrics.forget("x")
    text = generate_latest(metrics.registry).decode()
    assert 'camera="x"' not in text
    assert 'camera="gate"' in text


@pytest.fixture(scope="module")
def dashboard():
    return json.loads(DASHBOARD.read_text("utf-8"))


def test_every_metric_of_the_dashboard_exists_with_its_labels(dashboard):
    known = samples(touched())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    queries.append(dashboard["templating"]["list"][1]["query"]["query"])
    for query in queries:
        names = set(re.findall(r"\b[a-z]+_[a-z_]+\b", query)) - {"histogram_quantile", "label_values"}
        assert names, query
        for name in names:
            assert name in known, f"{name} in {query}"
        for label in {
            *re.findall(r"(\w+)=~", query),
            *(part.strip() for group in re.findall(r"by \(([^)]*)\)", query) for part in group.split(",")),
        }:
            assert all(label in known[name] for name in names), f"{label} in {query}"


def test_the_dashboard_is_one_that_grafana_takes(dashboard):
    """Unique ids, a data source to choose, no panel over another and none outside the 24 columns."""
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids))
    assert dashboard["templating"]["list"][0]["type"] == "datasource"
    cells: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        mine = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not mine & cells, panel["title"]
        cells |= mine
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


def test_what_is_measured_per_program_shows_on_the_dashboard(dashboard):
    text = DASHBOARD.read_text("utf-8")
    for name in samples(touched()):
        if name.startswith("matthan_") and not name.endswith(("_created", "_bucket", "_sum", "_count")):
            assert name in text, name

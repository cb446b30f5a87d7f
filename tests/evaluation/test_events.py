"""How fire and crowd events are compared with the truth."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import MatThanError
from pipeline.evaluation import crowd, fire
from pipeline.rules.crowd import CrowdConfig

ANNOTATED = """<?xml version="1.0"?>
<opencv_storage><frameRate>10</frameRate><frames>
<_><frameNumber>0</frameNumber><annotations></annotations></_>
<_><frameNumber>25</frameNumber><annotations><_>176 84 24 33</_></annotations></_>
</frames></opencv_storage>
"""


def test_the_first_flame_is_the_first_annotated_one(tmp_path):
    film = tmp_path / "fire_barn.mp4"
    assert fire.first_flame(film) == 0, "without annotations the fire burns throughout"
    film.with_suffix(".gt.xml").write_text(ANNOTATED)
    assert fire.first_flame(film) == pytest.approx(2.5)


def test_recordings_named_fire_hold_one_and_others_none(tmp_path):
    with pytest.raises(MatThanError, match="no recordings"):
        fire.clips(tmp_path)
    (tmp_path / "video").mkdir()
    for name in ("fire_car.mp4", "plaza.avi", "notes.txt"):
        (tmp_path / "video" / name).touch()
    found = {clip.name: clip.flame for clip in fire.clips(tmp_path)}
    assert found["fire_car.mp4"] == 0
    assert found["plaza.avi"] is None
    assert "notes.txt" not in found


@pytest.mark.parametrize(
    ("flame", "alarms", "delay", "false"),
    [
        (4.0, (6.0,), 2.0, 0),
        (4.0, (1.0, 6.0), 2.0, 1),  # an alarm before the flame is false
        (4.0, (6.0, 9.0), 2.0, 1),  # and so is a second one on the same fire
        (4.0, (), None, 0),
        (None, (3.0,), None, 1),
    ],
)
def test_delay_and_false_alarms(flame, alarms, delay, false):
    outcome = fire.Outcome(fire.Clip(Path("clip.mp4"), flame), 3600.0, alarms)
    assert outcome.delay == delay
    assert outcome.false == false
    summary = {row.metric: row.value for row in fire.summary([outcome])}
    assert summary["false alarms per hour"] == pytest.approx(false)


def test_perfect_counts_give_the_events_of_the_definition():
    config = CrowdConfig(kind="crowd", people=5, seconds=2, leave_seconds=3)
    reference = crowd.Reference.of(config)
    for index, people in enumerate([1] * 20 + [6] * 50 + [0] * 60 + [7] * 40):
        reference.update(index / 10, people)
    assert reference.finish() == [(2.0, 6.9), (13.0, 16.9)]


def test_overlap_of_spans():
    assert crowd.overlap((0, 10), (0, 10)) == 1
    assert crowd.overlap((0, 10), (5, 15)) == pytest.approx(1 / 3)
    assert crowd.overlap((0, 1), (2, 3)) == 0

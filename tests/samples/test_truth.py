"""The truth beside the clips: reads, fits the clips, and says what it cannot read."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import av
import pytest

from samples import NAMES, Truth, load_truth, sample_paths

LABELS = {"person", "bicycle", "motorcycle", "car", "bus", "truck", "fire", "smoke", "plate"}


@pytest.fixture(params=NAMES)
def sample(request: pytest.FixtureRequest) -> tuple[Path, Truth]:
    clip, truth = sample_paths()[request.param]
    return clip, load_truth(truth)


def test_the_clip_is_what_the_truth_says(sample: tuple[Path, Truth]) -> None:
    clip, truth = sample
    assert clip.name == truth.clip
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        keys = [packet.pts is not None and packet.is_keyframe for packet in container.demux(stream) if packet.size]
        assert stream.average_rate == truth.fps
        assert (stream.width, stream.height) == (truth.width, truth.height)
        assert len(keys) == truth.frames
        assert container.metadata["creation_time"] == truth.anchor.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
        assert stream.codec_context.pix_fmt == "yuv420p"
    marked = [index for index, key in enumerate(keys) if key]
    assert (
        max(after - before for before, after in zip(marked, [*marked[1:], truth.frames], strict=True)) <= 2 * truth.fps
    )


def test_every_box_is_inside_and_of_a_known_object(sample: tuple[Path, Truth]) -> None:
    _, truth = sample
    assert truth.records
    for record in truth.records:
        left, top, right, bottom = record.box
        assert 0 <= left < right <= truth.width
        assert 0 <= top < bottom <= truth.height
        assert 0 <= record.frame < truth.frames
        assert truth.objects[record.object].label in LABELS


def test_objects_refer_to_each_other(sample: tuple[Path, Truth]) -> None:
    _, truth = sample
    for item in truth.objects.values():
        if item.rides is not None:
            assert truth.objects[item.rides].label == "motorcycle"
        if item.label == "plate":
            assert item.carrier is not None
            assert truth.objects[item.carrier].plate == item.plate


def test_violations_are_within_the_clip_and_name_a_known_place(sample: tuple[Path, Truth]) -> None:
    _, truth = sample
    places = {region.id for region in (*truth.lanes, *truth.zones)}
    assert truth.violations
    for violation in truth.violations:
        assert 0 <= violation.start_s < violation.end_s <= truth.frames / truth.fps
        assert violation.where in places
        assert violation.object is None or violation.object in truth.objects


def test_tracks_move_without_jumps(sample: tuple[Path, Truth]) -> None:
    _, truth = sample
    for item in truth.objects.values():
        if item.label in ("fire", "smoke", "plate"):
            continue
        track = [record for record in truth.track(item.id) if record.visible > 0.9]
        for before, after in pairwise(track):
            if after.frame == before.frame + 1:
                step = abs(after.box[0] - before.box[0]) + abs(after.box[3] - before.box[3])
                assert step < 0.6 * (before.box[3] - before.box[1]) + 8


def test_the_street_holds_one_car_and_one_motorbike_going_the_wrong_way() -> None:
    truth = load_truth(sample_paths()["street"][1])
    labels = [truth.objects[item.object].label for item in truth.violations if item.object is not None]
    assert sorted(labels) == ["car", "motorcycle"]
    assert {item.kind for item in truth.violations} == {"wrong_way"}


def test_the_samples_stay_small() -> None:
    assert sum(path.stat().st_size for pair in sample_paths().values() for path in pair) < 10e6


def test_writing_and_reading_again_changes_nothing(sample: tuple[Path, Truth], tmp_path: Path) -> None:
    _, truth = sample
    copy = tmp_path / "copy.json"
    copy.write_text(truth.to_json(), encoding="utf-8")
    assert load_truth(copy) == truth


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 2}', '{"version": 1, "clip": "a.mp4"}'])
def test_a_wrong_file_is_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"wrong\.json.*render the clips again"):
        load_truth(path)

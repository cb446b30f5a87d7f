from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.review import RejectionReason, State
from pipeline.store.report_records import LabelledCase
from pipeline.training.lessons import LeftOut, Lesson, Taught, lesson
from pipeline.training.splits import Member, Split, SplitBy, assign
from pipeline.types import EvidenceFile
from tests.store.makers import NOON, identity

HUE = ZoneInfo("Asia/Ho_Chi_Minh")
STILL = EvidenceFile("still.jpg", "still", "image/jpeg", 3, "ab" * 32)


def case(**given_: Any) -> LabelledCase:
    values: dict[str, Any] = {
        "id": identity("lesson"),
        "camera": "gate-1",
        "rule": "wrong_way",
        "kind": "wrong_way",
        "label": "car",
        "start": NOON,
        "confidence": 0.8,
        "state": State.ACCEPTED,
        "reason": "",
        "boxes": [["car 7", [40.0, 80.0, 130.0, 140.0]], ["plate", [70.0, 110.0, 90.0, 116.0]]],
        "frame_width": 320,
        "frame_height": 180,
        "track": 7,
        "plate_text": "75A-123.45",
        "plate": None,
        "vehicle": None,
        "folder": "gate-1/x",
        "still": STILL,
        "crop": None,
    }
    return LabelledCase(**{**values, **given_})


@pytest.mark.parametrize(
    ("reason", "taught", "genuine"),
    [
        ("permitted", Taught.POSITIVE, True),
        ("directed_by_police", Taught.POSITIVE, True),
        ("no_violation", Taught.NEGATIVE, True),
        ("not_a_vehicle", Taught.NEGATIVE, False),
        ("illegible_plate", Taught.OPEN, True),
        ("wrong_plate", Taught.OPEN, True),
    ],
)
def test_a_rejection_teaches_by_its_reason(reason: str, taught: Taught, genuine: bool) -> None:
    found = lesson(case(state=State.REJECTED, reason=reason))
    assert isinstance(found, Lesson)
    assert (found.taught, found.genuine) == (taught, genuine)


@pytest.mark.parametrize("reason", ["poor_evidence", "camera_misaligned", "test", "other"])
def test_a_reason_that_does_not_say_what_is_there_teaches_nothing(reason: str) -> None:
    assert lesson(case(state=State.REJECTED, reason=reason)) is LeftOut.SAYS_NOTHING


def test_no_fire_is_a_negative_and_no_crowd_says_nothing_of_people() -> None:
    rejected: dict[str, Any] = {"state": State.REJECTED, "reason": RejectionReason.NO_VIOLATION, "track": None}
    fire = lesson(case(kind="fire", boxes=[["fire", [1, 2, 30, 40]]], **rejected))
    assert isinstance(fire, Lesson)
    assert not fire.genuine
    assert lesson(case(kind="crowd", boxes=[["person", [1, 2, 30, 40]]], **rejected)) is LeftOut.SAYS_NOTHING


def test_labels_are_classes_and_plates_are_hidden_not_labelled() -> None:
    found = lesson(case())
    assert isinstance(found, Lesson)
    assert found.boxes == (("car", (40.0, 80.0, 130.0, 140.0)),)
    assert found.plates == ((70.0, 110.0, 90.0, 116.0),)


def test_the_vehicle_that_officers_name_wins() -> None:
    found = lesson(case(vehicle="truck"))
    assert isinstance(found, Lesson)
    assert found.boxes[0][0] == "truck"
    assert lesson(case(vehicle="xe ba gác")) is LeftOut.UNKNOWN_VEHICLE


def test_a_box_is_cut_at_the_picture_and_one_outside_teaches_nothing() -> None:
    found = lesson(case(boxes=[["car", [-10, 100, 50, 500]]]))
    assert isinstance(found, Lesson)
    assert found.boxes == (("car", (0.0, 100.0, 50.0, 180.0)),)
    assert lesson(case(boxes=[["car", [400, 10, 500, 50]]])) is LeftOut.NO_BOX
    assert lesson(case(still=None)) is LeftOut.NO_STILL


MEMBERS = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 60 * 24 * 30)), min_size=1, max_size=120)


@given(MEMBERS)
def test_no_camera_is_on_both_sides(drawn: list[tuple[str, int]]) -> None:
    members = [Member(identity(n), camera, NOON + timedelta(minutes=at)) for n, (camera, at) in enumerate(drawn)]
    splits = assign(members, SplitBy.CAMERA, HUE)
    found = defaultdict(set)
    for member in members:
        found[member.camera].add(splits[member.id])
    assert all(len(sides) == 1 for sides in found.values())
    assert assign(reversed(members), SplitBy.CAMERA, HUE) == splits, "the order of the cases does not matter"


@given(MEMBERS)
def test_no_day_is_on_both_sides_and_tests_are_later(drawn: list[tuple[str, int]]) -> None:
    members = [Member(identity(n), camera, NOON + timedelta(minutes=at)) for n, (camera, at) in enumerate(drawn)]
    splits = assign(members, SplitBy.TIME, HUE)
    sides = list(Split)
    by_day = sorted((member.start.astimezone(HUE).date(), sides.index(splits[member.id])) for member in members)
    order = [side for _, side in by_day]
    assert order == sorted(order)
    assert all(len({side for other, side in by_day if other == day}) == 1 for day, _ in by_day)


def test_many_cameras_come_near_their_shares() -> None:
    members = [Member(identity(n), f"camera-{n % 40}", NOON) for n in range(400)]
    splits = list(assign(members, SplitBy.CAMERA, HUE).values())
    assert [splits.count(split) for split in Split] == [280, 60, 60]

"""Tracks: ids of one camera, kinds kept apart, gaps and clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.tracking import Tracker
from pipeline.types import Detections, Track

START = datetime(2026, 1, 1, tzinfo=UTC)
Thing = tuple[str, float, tuple[float, float, float, float]]


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def found(*things: Thing) -> Detections:
    if not things:
        return Detections.empty()
    labels, scores, boxes = zip(*things, strict=True)
    return Detections(np.array(boxes, np.float32), np.array(scores, np.float32), np.array(labels))


def car(x: float, y: float = 100, label: str = "car", score: float = 0.8, size: float = 40) -> Thing:
    return (label, score, (x, y, x + size, y + 0.7 * size))


def play(tracker: Tracker, frames: list[Detections], rate: float = 8.0) -> list[tuple[list[Track], list[int]]]:
    return [tracker.update(at(index / rate), detections) for index, detections in enumerate(frames)]


def traffic(frames: int = 40) -> list[Detections]:
    """Three cars and a pedestrian on their ways."""
    return [
        found(
            car(5 + 6 * k),
            car(400 - 5 * k, 200),
            car(300, 300),
            ("person", 0.9, (50.0 + 2 * k, 400.0, 70.0 + 2 * k, 450.0)),
        )
        for k in range(frames)
    ]


def test_ids_count_from_one_and_stay_with_their_object() -> None:
    answers = play(Tracker(8), traffic())
    assert answers[0] == ([], [])  # a track is confirmed by its second detection
    seen = {track.id: track for track in answers[-1][0]}
    assert sorted(seen) == [1, 2, 3, 4]
    assert [track.id for track in answers[1][0]] == [1, 2, 3, 4]
    for track in answers[1][0]:
        assert abs(seen[track.id].box[1] - track.box[1]) < 1  # each stays in its row
        assert seen[track.id].hits == 39


def test_two_cameras_and_a_second_run_give_the_same_ids() -> None:
    alone = play(Tracker(8), traffic())
    first, second = Tracker(8), Tracker(8)
    together = []
    for index, detections in enumerate(traffic()):
        together.append(first.update(at(index / 8), detections))
        second.update(at(index / 8), found(car(10 + 3 * index, 50), car(500 - 8 * index, 90)))
    assert together == alone
    assert play(Tracker(8), traffic()) == alone


def test_a_car_that_is_now_and_then_called_a_truck_is_one_track_with_the_majority_label() -> None:
    frames = [found(car(10 + 5 * k, label="truck" if k % 3 == 0 else "car")) for k in range(20)]
    answers = play(Tracker(8), frames)
    assert {track.id for tracks, _ in answers for track in tracks} == {1}
    assert answers[-1][0][0].label == "car"


def test_rider_and_motorcycle_keep_their_own_ids() -> None:
    frames = [
        found(
            ("motorcycle", 0.7, (10.0 + 6 * k, 100.0, 40.0 + 6 * k, 140.0)),
            ("person", 0.75, (12.0 + 6 * k, 80.0, 38.0 + 6 * k, 135.0)),
        )
        for k in range(25)
    ]
    frames[10] = frames[10][np.array([1])]  # the motorcycle is missed twice, the rider is not
    frames[11] = frames[11][np.array([1])]
    answers = play(Tracker(8), frames)
    labels = {(track.id, track.label) for tracks, _ in answers for track in tracks}
    assert labels == {(1, "person"), (2, "motorcycle")}


def test_hazards_and_plates_are_not_tracked() -> None:
    frames = [found(*((label, 0.9, (10.0, 10.0, 60.0, 60.0)) for label in ("fire", "smoke", "plate")))] * 5
    assert all(answer == ([], []) for answer in play(Tracker(8), frames))


def test_a_short_occlusion_does_not_split_a_track() -> None:
    frames = [found(car(10 + 6 * k)) if not 10 <= k < 16 else found() for k in range(30)]
    answers = play(Tracker(8), frames)
    assert {track.id for tracks, _ in answers for track in tracks} == {1}
    assert not any(ended for _, ended in answers)


def test_a_lost_track_is_given_up_once_and_its_id_never_comes_again() -> None:
    frames = [found(car(10 + 6 * k)) for k in range(10)] + [found()] * 20 + [found(car(70 + 6 * k)) for k in range(10)]
    answers = play(Tracker(8), frames)
    assert [ended for _, ended in answers if ended] == [[1]]
    assert {track.id for tracks, _ in answers[30:] for track in tracks} == {2}


def test_a_gap_in_the_footage_ends_the_tracks() -> None:
    tracker = Tracker(8)
    play(tracker, [found(car(10 + 6 * k)) for k in range(10)])
    _, ended = tracker.update(at(60), found(car(70)))
    assert ended == [1]
    tracks, _ = tracker.update(at(60.125), found(car(76)))
    assert [track.id for track in tracks] == [2]


@pytest.mark.parametrize("later", [1.0, 1.125])
def test_a_clock_that_does_not_go_on_begins_anew(later: float) -> None:
    tracker = Tracker(8)
    play(tracker, [found(car(10 + 6 * k)) for k in range(10)])  # the last one at 1.125 s
    assert tracker.update(at(later), found(car(70))) == ([], [1])
    tracks, ended = tracker.update(at(later + 0.125), found(car(76)))
    assert ([track.id for track in tracks], ended) == ([2], [])


@pytest.mark.parametrize("rate", [3.0, 5.0, 8.0, 25.0])
def test_a_car_is_followed_at_every_usual_rate(rate: float) -> None:
    """Two own lengths a second, which leaves no overlap between frames at low rates once it moves steadily."""
    frames = [found(car(10 + 80 * k / rate)) for k in range(int(6 * rate))]
    answers = play(Tracker(rate), frames, rate)
    assert {track.id for tracks, _ in answers for track in tracks} == {1}


def test_weak_detections_continue_a_track_but_begin_none() -> None:
    assert not any(tracks for tracks, _ in play(Tracker(8), [found(car(10 + 5 * k, score=0.3)) for k in range(10)]))
    frames = [found(car(10 + 5 * k, score=0.8 if k < 4 else 0.3)) for k in range(12)]
    assert all(len(tracks) == 1 for tracks, _ in play(Tracker(8), frames)[1:])


def test_a_rate_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="frame rate above 0"):
        Tracker(0)


@settings(max_examples=25)
@given(
    st.lists(
        st.lists(
            st.tuples(
                st.sampled_from(["person", "car", "truck", "motorcycle", "fire"]),
                st.floats(0, 1),
                st.tuples(st.floats(0, 600), st.floats(0, 400), st.floats(1, 200), st.floats(1, 200)),
            ),
            max_size=6,
        ),
        min_size=1,
        max_size=15,
    )
)
def test_whatever_is_detected(frames: list[list[tuple[str, float, tuple[float, float, float, float]]]]) -> None:
    """Boxes are passed on as they were detected, no id is seen after it was given up, none twice in a frame."""
    tracker, gone = Tracker(5), set[int]()
    for index, things in enumerate(frames):
        shown = found(*((label, score, (x, y, x + w, y + h)) for label, score, (x, y, w, h) in things))
        tracks, ended = tracker.update(at(index / 5), shown)
        ids = [track.id for track in tracks]
        assert ids == sorted(set(ids))
        assert not gone & set(ids)
        boxes = {tuple(float(edge) for edge in box) for box in shown.boxes}
        assert all(track.box in boxes and track.label != "fire" for track in tracks)
        gone |= set(ended)

"""Whose plate it is: a false answer accuses somebody who has done nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from pipeline.frame import Frame
from pipeline.rules import Scene
from pipeline.rules.plate_owner import belongs, neighbours
from pipeline.types import Box, Detections
from tests.detectors.plates.drawing import vehicle
from tests.rules.test_plate import START, STEP, finals, rule, run, scene

CAR: Box = (100, 100, 400, 340)
MOTORBIKE: Box = (220, 240, 290, 360)


def around(x: float, y: float) -> Box:
    return x - 20, y - 6, x + 20, y + 6


@pytest.mark.parametrize(
    ("plate", "vehicle_box", "other", "own"),
    [
        pytest.param((250, 290), CAR, MOTORBIKE, False, id="a motorbike's before a car is not the car's"),
        pytest.param((250, 290), MOTORBIKE, CAR, True, id="but its own"),
        pytest.param((150, 290), CAR, MOTORBIKE, True, id="a car's beside the motorbike before it"),
        pytest.param((250, 290), CAR, (380, 120, 700, 380), True, id="no neighbour in reach"),
        pytest.param((250, 290), CAR, (240, 120, 560, 380), True, id="a nearer neighbour's border over it"),
        pytest.param((250, 290), (240, 120, 560, 380), CAR, False, id="the farther car's at the nearer's border"),
        pytest.param((250, 300), CAR, (110, 180, 420, 430), False, id="the nearer of two in a row"),
        pytest.param((250, 300), (110, 80, 420, 430), CAR, True, id="the nearer's own"),
        pytest.param((250, 250), (110, 220, 430, 460), CAR, False, id="the farther's above the nearer's bonnet"),
        pytest.param((260, 300), CAR, (160, 110, 360, 342), False, id="nobody's where it cannot be told"),
        pytest.param((405, 290), CAR, (402, 220, 480, 360), False, id="beside the car, on another"),
        pytest.param((405, 290), CAR, (500, 220, 580, 360), True, id="beside the car, on none"),
    ],
)
def test_a_plate_is_that_of_the_vehicle_it_hangs_on(
    plate: tuple[float, float], vehicle_box: Box, other: Box, own: bool
) -> None:
    assert belongs(around(*plate), vehicle_box, [other]) is own
    assert belongs(around(*plate), vehicle_box, [other, (600, 10, 640, 50)]) is own
    assert belongs(around(*plate), vehicle_box, [])


@pytest.mark.parametrize(
    ("label", "box", "other_label", "other", "same"),
    [
        pytest.param("car", CAR, "truck", (110, 105, 420, 345), True, id="a car found twice"),
        pytest.param("car", CAR, "motorcycle", MOTORBIKE, False, id="a motorbike before a car"),
        # both as the road model found one motorbike of the street sample
        pytest.param(
            "motorcycle", (731, 286, 888, 502), "motorcycle", (769, 386, 868, 527), True, id="with the rider, without"
        ),
        pytest.param("motorcycle", (860, 369, 1004, 546), "bicycle", (859, 285, 1013, 501), True, id="without, with"),
        pytest.param(
            "motorcycle", (731, 286, 888, 502), "motorcycle", (735, 320, 910, 560), False, id="a nearer one before it"
        ),
    ],
)
def test_a_vehicle_that_is_found_twice_is_no_neighbour_of_itself(
    label: str, box: Box, other_label: str, other: Box, same: bool
) -> None:
    drawn = scene(0, {1: (vehicle([""], 100), 0, 0)})
    track, another = (
        replace(drawn.tracks[0], id=number, label=name, box=edges)
        for number, name, edges in ((1, label, box), (2, other_label, other))
    )
    assert neighbours(replace(drawn, tracks=[track, another]), track) == ([] if same else [other])


def before_a_car(number: int) -> Scene:
    """A car without a plate, and before it a small one with one, inside its box."""
    large, small = vehicle([""], 420 + 4 * number), vehicle(["51F-446.14"], 200 + 2 * number)
    large[large.shape[0] * 3 // 5 : large.shape[0] * 4 // 5] = (110, 60, 40)
    return scene(number, {1: (large, 200, 100), 2: (small, 290, 260)})


def plates(scenes: Sequence[Scene]) -> dict[int, str | None]:
    return {read.track: read.text for read in finals(run(rule(), scenes))}


def test_a_car_does_not_get_the_plate_of_the_one_before_it_also_not_from_its_last_read() -> None:
    scenes = [before_a_car(number) for number in range(8)]
    assert plates(scenes) == {2: "51F44614"}
    alone = [replace(one, tracks=[one.tracks[0]]) for one in scenes]
    assert plates(alone) == {1: "51F44614"}, "the picture of the car does show the plate"
    found = [untracked(one) for one in alone]
    assert plates(found) == {}


def untracked(one: Scene) -> Scene:
    """The scene with the small vehicle found, and not tracked."""
    small = np.array([[290, 260, 490, 420]], np.float32)
    detections = Detections(small, np.array([0.6], np.float32), np.array(["motorcycle"]))
    return replace(one, detections={"road": detections}, classes=frozenset({"motorcycle"}))


def test_cars_whose_boxes_overlap_keep_their_own_plates() -> None:
    left, right = vehicle(["51F-446.14"], 300), vehicle(["30A-123.45"], 300)
    scenes = []
    for number in range(5):
        picture = np.full((540, 960, 3), 100, np.uint8)
        picture[120 : 120 + left.shape[0], 150:450] = left
        picture[170 : 170 + right.shape[0], 440:740] = right
        drawn = scene(number, {1: (left, 150, 120), 2: (right, 440, 170)})
        tracks = [
            replace(drawn.tracks[0], box=(150, 120, 560, 375)),
            replace(drawn.tracks[1], box=(330, 150, 740, 420)),
        ]
        scenes.append(replace(drawn, frame=Frame("gate", number, START + number * STEP, picture), tracks=tracks))
    assert plates(scenes) == {1: "51F44614", 2: "30A12345"}

"""The renderer: repeatable, and true to its own geometry."""

from __future__ import annotations

from collections.abc import Callable

import av
import cv2
import numpy as np
import pytest

from samples import sample_paths
from samples.rendering.camera import Camera
from samples.rendering.market import FIRST_FLAME, market
from samples.rendering.scene import Scene
from samples.rendering.square import CROWD, ZONE, square
from samples.rendering.street import street

CHOSEN = (100, 20)


@pytest.fixture(scope="module", params=[street, square, market], ids=["street", "square", "fire"])
def scene(request: pytest.FixtureRequest) -> Scene:
    make: Callable[[int], Scene] = request.param
    return make(1)


def test_the_same_seed_gives_the_same_frames_and_boxes_in_any_order(scene: Scene) -> None:
    first = list(scene.stage().film(CHOSEN))
    second = list(scene.stage().film(CHOSEN[::-1]))[::-1]
    for (image, seen), (again, seen_again) in zip(first, second, strict=True):
        assert np.array_equal(image, again)
        assert seen == seen_again


def test_boxes_lie_inside_the_picture_and_name_known_objects(scene: Scene) -> None:
    for _, seen in scene.stage().film(CHOSEN):
        assert len(seen) > 5
        assert len({sighting.object for sighting in seen}) == len(seen)
        for sighting in seen:
            left, top, right, bottom = sighting.box
            assert 0 <= left < right <= scene.camera.width
            assert 0 <= top < bottom <= scene.camera.height
            assert 0 <= sighting.visible <= 1
            assert sighting.object in scene.cast.objects


def test_the_embedded_clip_shows_what_the_renderer_makes(scene: Scene) -> None:
    with av.open(str(sample_paths()[scene.name][0])) as container:
        kept = next(frame for index, frame in enumerate(container.decode(video=0)) if index == CHOSEN[1])
    ((image, _),) = scene.stage().film(CHOSEN[1:])
    difference = np.abs(cv2.blur(image, (5, 5)).astype(int) - cv2.blur(kept.to_ndarray(format="bgr24"), (5, 5)))
    # Colours lose a level or two on the way through limited-range 4:2:0.
    assert difference.mean() < 4
    assert np.quantile(difference, 0.999) < 20


def test_another_seed_gives_another_picture() -> None:
    (one, _), (other, _) = (next(iter(square(seed).stage().film([5]))) for seed in (1, 2))
    assert not np.array_equal(one, other)


def test_people_gather_and_disperse() -> None:
    counts = square(1).counts(ZONE)
    assert counts[0] < CROWD > counts[-1]
    assert max(counts) >= 12


def test_no_fire_before_the_first_flame() -> None:
    scene = market(1)
    flames = {
        scene.cast.objects[key].label: key
        for key in scene.cast.objects
        if scene.cast.objects[key].label in ("fire", "smoke")
    }
    before, after = round(FIRST_FLAME * scene.fps) - 1, round((FIRST_FLAME + 1) * scene.fps)
    (_, early), (_, late) = scene.stage().film([before, after])
    assert not {sighting.object for sighting in early} & set(flames.values())
    assert set(flames.values()) <= {sighting.object for sighting in late}


def test_the_camera_maps_the_ground_by_one_homography() -> None:
    camera = Camera((1.0, -2.0, 4.0), 7.0, 15.0, 1400)
    random = np.random.default_rng(3)
    ground = np.column_stack([random.uniform(-5, 5, 20), random.uniform(8, 50, 20)])
    pictured = camera.relative(ground)
    matrix, _ = cv2.findHomography(pictured[:6], ground[:6])
    mapped = cv2.perspectiveTransform(pictured[None], matrix)[0]
    assert np.allclose(mapped, ground, atol=1e-3)


def test_a_ray_through_a_pixel_meets_the_point_it_shows() -> None:
    camera = Camera((1.0, -2.0, 4.0), 7.0, 15.0, 1400)
    points = np.array([(0.5, 12.0, 1.0), (-3.0, 30.0, 0.0)])
    pixels, depth = camera.project(points)
    assert np.allclose(camera.eye + camera.rays(pixels) * depth[:, None], points)

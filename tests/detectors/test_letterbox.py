from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.detectors.letterbox import GREY, Letterbox, Normalisation, resize

sides = st.integers(min_value=20, max_value=5000)


@given(width=sides, height=sides, tight=st.booleans(), centred=st.booleans())
def test_the_whole_picture_lies_inside_the_input_and_keeps_its_proportions(
    width: int, height: int, tight: bool, centred: bool
) -> None:
    place = Letterbox(416, 416, 32, tight, centred).place(width, height)
    assert place.width % 32 == place.height % 32 == 0
    assert place.left >= 0 and place.left + place.content_width <= place.width <= 416
    assert place.top >= 0 and place.top + place.content_height <= place.height <= 416
    assert max(place.content_width, place.content_height) == 416
    assert place.content_width == pytest.approx(width * 416 / max(width, height), abs=1)
    assert place.content_height == pytest.approx(height * 416 / max(width, height), abs=1)
    if tight:
        assert place.width - place.content_width < 32 and place.height - place.content_height < 32


@given(width=sides, height=sides, centred=st.booleans(), data=st.data())
def test_a_box_of_the_picture_comes_back_from_the_input(
    width: int, height: int, centred: bool, data: st.DataObject
) -> None:
    place = Letterbox(640, 640, 32, tight=True, centred=centred).place(width, height)
    left, right = sorted(data.draw(st.lists(st.floats(0, width), min_size=2, max_size=2)))
    top, bottom = sorted(data.draw(st.lists(st.floats(0, height), min_size=2, max_size=2)))
    box = np.array([[left, top, right, bottom]])
    scale = np.array([place.content_width / width, place.content_height / height] * 2)
    placed = (box * scale + [place.left, place.top] * 2).astype(np.float32)
    np.testing.assert_allclose(place.to_picture(placed, width, height), box, rtol=1e-4, atol=1e-2)


def test_boxes_beyond_the_picture_are_cut_off_at_its_border() -> None:
    place = Letterbox(416, 416, 32, tight=True).place(640, 360)
    out = place.to_picture(np.array([[-30, -5, 900, 500]], np.float32), 640, 360)
    assert out.dtype == np.float32
    np.testing.assert_array_equal(out, [[0, 0, 640, 360]])


@pytest.mark.parametrize(
    ("picture", "size", "tight", "expected"),
    [  # as the predictor of ultralytics 8.4 places them: input size, left, top
        ((768, 576), 320, True, (320, 256, 0, 8)),
        ((640, 360), 320, True, (320, 192, 0, 6)),
        ((333, 517), 320, True, (224, 320, 9, 0)),
        ((333, 517), 320, False, (320, 320, 57, 0)),
        ((768, 576), 640, False, (640, 640, 0, 80)),
    ],
)
def test_centred_placement_is_that_of_the_yolo_reference(
    picture: tuple[int, int], size: int, tight: bool, expected: tuple[int, int, int, int]
) -> None:
    place = Letterbox(size, size, 32, tight, centred=True).place(*picture)
    assert (place.width, place.height, place.left, place.top) == expected


@pytest.mark.parametrize("rgb", [False, True])
@pytest.mark.parametrize("centred", [False, True])
def test_the_input_is_the_normalised_picture_in_a_grey_frame(rgb: bool, centred: bool) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (90, 200, 3), np.uint8)
    normalisation = Normalisation((103.53, 116.28, 123.675), (57.375, 57.12, 58.395), rgb)
    place = Letterbox(224, 224, 32, tight=True, centred=centred).place(200, 90)
    content = resize(picture, place.content_width, place.content_height, smooth=False)
    out = np.full((3, place.height, place.width), np.nan, np.float32)
    normalisation.fill(content, place, out)

    framed = np.full((place.height, place.width, 3), GREY, np.float64)
    framed[place.top : place.top + content.shape[0], place.left : place.left + content.shape[1]] = content
    expected = ((framed - normalisation.mean) / normalisation.deviation).transpose(2, 0, 1)
    np.testing.assert_allclose(out, expected[::-1] if rgb else expected, atol=1e-5)


def test_smooth_shrinking_averages_what_bilinear_sampling_skips() -> None:
    stripes = np.zeros((800, 800, 3), np.uint8)
    stripes[:, ::4] = 255  # a quarter of the pixels
    smooth = resize(stripes, 200, 200, smooth=True).astype(float)
    assert abs(smooth.mean() - 255 / 4) < 1 and smooth.std() < 2
    assert (
        resize(stripes, 200, 200, smooth=False).std() + abs(resize(stripes, 200, 200, smooth=False).mean() - 255 / 4)
        > 20
    )


def test_a_picture_of_the_right_size_is_not_copied() -> None:
    picture = np.zeros((64, 96, 3), np.uint8)
    assert resize(picture, 96, 64, smooth=True) is picture

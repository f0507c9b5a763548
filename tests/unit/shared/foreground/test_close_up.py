"""A view on a part of a crop: what it shows, how large, and where its keypoints lie in the crop."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from shared.foreground.close_up import LARGEST_FACTOR, SURROUNDINGS, CloseUp
from shared.keypoints.keypoints import STEPS, sound

WIDTH, HEIGHT = 300, 200


def _mask(left: float, top: float, right: float, bottom: float) -> NDArray[np.bool_]:
    mask = np.zeros((100, 150), np.bool_)
    mask[round(top * 100) : round(bottom * 100), round(left * 150) : round(right * 150)] = True
    return mask


def test_the_view_is_the_animals_box_and_what_surrounds_it() -> None:
    view = CloseUp.of(_mask(0.2, 0.3, 0.6, 0.7), WIDTH, HEIGHT, 400)
    assert view.left == pytest.approx((0.2 - SURROUNDINGS) * WIDTH, abs=1)
    assert view.right == pytest.approx((0.6 + SURROUNDINGS) * WIDTH, abs=1)
    assert view.top == pytest.approx((0.3 - SURROUNDINGS) * HEIGHT, abs=1)
    assert view.bottom == pytest.approx((0.7 + SURROUNDINGS) * HEIGHT, abs=1)
    assert max(view.size) == 400


def test_the_view_stays_within_the_crop() -> None:
    view = CloseUp.of(_mask(0, 0, 1, 1), WIDTH, HEIGHT, 400)
    assert (view.left, view.top, view.right, view.bottom) == (0, 0, WIDTH, HEIGHT)


def test_a_small_animal_is_not_enlarged_without_end() -> None:
    view = CloseUp.of(_mask(0.5, 0.5, 0.52, 0.52), WIDTH, HEIGHT, 4000)
    assert view.factor == LARGEST_FACTOR


def test_a_large_crop_is_shrunk() -> None:
    view = CloseUp.of(_mask(0, 0, 1, 1), WIDTH, HEIGHT, 30)
    assert view.size == (30, 20)
    assert view.picture(np.full((HEIGHT, WIDTH, 3), 7, np.uint8)).mean() == 7


def test_the_mask_of_the_view_fits_its_picture() -> None:
    view = CloseUp.of(_mask(0.2, 0.3, 0.6, 0.7), WIDTH, HEIGHT, 400)
    seen = view.mask(_mask(0.2, 0.3, 0.4, 0.7))
    assert seen.shape == view.picture(np.zeros((HEIGHT, WIDTH, 3), np.uint8)).shape[:2]
    columns = np.flatnonzero(seen.max(axis=0))
    animal = seen.shape[1] * (0.2 + SURROUNDINGS) / (0.4 + 2 * SURROUNDINGS)
    assert columns[-1] == pytest.approx(animal, abs=3)


FRACTIONS = st.tuples(st.floats(0, 1), st.floats(0, 1))


@given(FRACTIONS, FRACTIONS, FRACTIONS, st.integers(20, 900))
def test_a_keypoint_lies_where_the_view_shows_it(
    corner: tuple[float, float],
    extent: tuple[float, float],
    point: tuple[float, float],
    longest_side: int,
) -> None:
    left, top = np.array(corner) / 2
    width, height = 0.1 + 0.4 * np.array(extent)
    view = CloseUp.of(_mask(left, top, left + width, top + height), WIDTH, HEIGHT, longest_side)
    wide, high = view.size
    ones = np.ones((1, 2), np.float32)
    there = np.array([point], np.float32) * np.array([view.size], np.float32)
    seen = sound(there, ones[0, :1], ones, width=wide, height=high)
    x, y = replace(seen, window=view.window).in_crop()[0]
    near = 0.01 + 0.5 / STEPS / view.factor  # keypoints are kept in steps
    assert x * WIDTH == pytest.approx(view.left + point[0] * (view.right - view.left), abs=near)
    assert y * HEIGHT == pytest.approx(view.top + point[1] * (view.bottom - view.top), abs=near)

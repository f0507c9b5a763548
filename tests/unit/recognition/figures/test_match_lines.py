"""A match's ends land where its keypoints are."""

import numpy as np
import pytest
from PIL import Image

from recognition.figures.match_lines import SURE, UNSURE, Cell, by_confidence, join, paste
from shared.keypoints.keypoints import Keypoints

PAPER = (255, 255, 255)
GREEN = (0, 160, 0)


def _keypoint(x: float, y: float, window: tuple[float, float, float, float]) -> Keypoints:
    return Keypoints(
        np.array([[x, y]], np.float32),
        np.ones(1, np.float32),
        np.zeros((1, 4), np.int8),
        width=100,
        height=50,
        window=window,
    )


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((100, 200), (100, 50)),  # fills the cell
        ((200, 200), (100, 50)),  # as high as the cell, in its middle
        ((50, 200), (100, 50)),  # as wide as the cell, in its middle
    ],
)
def test_the_middle_of_a_picture_is_the_middle_of_its_cell(
    shape: tuple[int, int], expected: tuple[int, int]
) -> None:
    sheet = Image.new("RGB", (200, 100), PAPER)
    picture = np.full((*shape, 3), 90, np.uint8)
    seat = paste(sheet, picture, Cell(0, 0, 200, 100))
    assert seat.at(np.array([[0.5, 0.5]])).tolist() == [list(expected)]
    assert seat.width / seat.height == pytest.approx(shape[1] / shape[0])


def test_a_keypoint_of_a_close_up_lands_where_it_is_in_the_crop() -> None:
    """The animal fills the right half of the crop, and a keypoint is in the middle of that."""
    sheet = Image.new("RGB", (420, 100), PAPER)
    grey = np.full((100, 200, 3), 90, np.uint8)
    seats = [paste(sheet, grey, Cell(left, 0, 200, 100)) for left in (0, 220)]
    near = _keypoint(50, 25, (0.5, 0.0, 0.5, 1.0))
    whole = _keypoint(20, 40, (0.0, 0.0, 1.0, 1.0))
    starts, ends = seats[0].at(near.in_crop()), seats[1].at(whole.in_crop())
    assert starts.tolist() == [[150, 50]]
    assert np.allclose(ends, [[260, 80]])
    join(sheet, Cell(0, 0, 420, 100), (starts, ends), [GREEN], spot=4)
    drawn = np.asarray(sheet).astype(int)
    for x, y in ((150, 50), (260, 80)):
        assert np.abs(drawn[y, x] - GREEN).max() < 12
    green = np.abs(drawn - GREEN).max(axis=2) < 70
    rows, columns = np.nonzero(green)
    assert columns.min() >= 145
    assert columns.max() <= 265
    assert rows.min() >= 45
    assert rows.max() <= 85


def test_later_matches_lie_on_top() -> None:
    sheet = Image.new("RGB", (100, 100), PAPER)
    ends = np.array([[10.0, 50.0]] * 2), np.array([[90.0, 50.0]] * 2)
    join(sheet, Cell(0, 0, 100, 100), ends, [(255, 0, 0), GREEN], line=4)
    red, green, _ = np.asarray(sheet)[50, 50]
    assert green > red


def test_colours_go_from_unsure_to_sure_and_stay_within() -> None:
    assert by_confidence(0.0) == by_confidence(-1.0) == UNSURE
    assert by_confidence(1.0) == by_confidence(7.0) == SURE

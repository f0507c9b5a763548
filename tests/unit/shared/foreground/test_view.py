"""What a segmenter is shown of a box, and what of its mask is the box's."""

import numpy as np
import pytest

from shared.foreground.view import LONGEST_SIDE, SURROUNDINGS, View
from shared.identifiers import WHOLE_PICTURE
from shared.messages import Box

PICTURE = np.arange(300 * 400, dtype=np.uint32).reshape(300, 400)
PIXELS = np.stack([PICTURE % 251, PICTURE // 251 % 251, PICTURE % 7], axis=-1).astype(np.uint8)


@pytest.mark.parametrize(
    "box",
    [
        Box(x=0.25, y=0.25, width=0.5, height=0.5),
        Box(x=0.0, y=0.1, width=0.3, height=0.2),
        Box(x=0.7, y=0.8, width=0.3, height=0.2),
        Box(x=0.1, y=0.0, width=0.9, height=1.0),
    ],
)
def test_the_box_is_found_again_in_its_view(box: Box) -> None:
    view = View.around(PIXELS, box)
    left, top = round(box.x * 400), round(box.y * 300)
    expected = PIXELS[top:, left:][: view.height, : view.width]
    found = view.of_box(view.picture)
    assert np.abs(np.subtract(found.shape, expected.shape)).max() <= 1
    corner = found[:20, :20], expected[:20, :20]
    assert np.array_equal(*corner) or np.array_equal(found[1:20, 1:20], expected[:19, :19])


def test_a_quarter_of_the_box_is_shown_on_every_side() -> None:
    view = View.around(PIXELS, Box(x=0.4, y=0.4, width=0.2, height=0.2))
    assert view.picture.shape == (90, 120, 3)
    assert (view.width, view.height) == (80, 60)
    edge = SURROUNDINGS / (1 + 2 * SURROUNDINGS)
    assert view.box == pytest.approx((edge, edge, 1 - edge, 1 - edge), abs=0.01)


def test_the_whole_picture_has_no_surroundings() -> None:
    for view in (View.around(PIXELS, Box(x=0, y=0, width=1, height=1)), View.whole(PIXELS)):
        assert view.box == WHOLE_PICTURE
        assert np.array_equal(view.picture, PIXELS)
        assert (view.width, view.height) == (400, 300)


def test_a_box_that_reaches_past_the_border_is_clipped() -> None:
    view = View.around(PIXELS, Box(x=-0.01, y=-0.01, width=1.02, height=1.02))
    assert view.box == WHOLE_PICTURE
    assert (view.width, view.height) == (400, 300)


def test_a_box_of_less_than_a_pixel_has_one() -> None:
    view = View.around(PIXELS, Box(x=0.999999, y=0.999999, width=1e-6, height=1e-6))
    assert view.of_box(view.picture).size >= 3
    assert (view.width, view.height) == (1, 1)


def test_a_large_view_is_shrunk_and_tells_the_boxs_true_size() -> None:
    view = View.whole(np.zeros((3000, 2000, 3), np.uint8))
    assert max(view.picture.shape) == LONGEST_SIDE
    assert (view.width, view.height) == (2000, 3000)

"""Which masks are gone by, and which part of them is the animal."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.foreground.animal import LEAST, MIN_PIXELS, MOST, Animal, finder
from shared.foreground.view import LONGEST_SIDE, Extent, View
from shared.identifiers import WHOLE_PICTURE
from shared.messages import Box

# Of the view's width and height, the box takes the middle three fifths.
BOX: Extent = (0.2, 0.2, 0.8, 0.8)


def _view(box: Extent = WHOLE_PICTURE, width: int = 1000, height: int = 800) -> View:
    return View(np.zeros((100, 100, 3), np.uint8), box, width, height)


class _Asked:
    """Sees the animal in the upper half, and remembers what it was shown."""

    fingerprint = "asked"
    surroundings = True

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def masks(self, images: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.bool_]]:
        self.shapes += [image.shape[:2] for image in images]
        return [
            np.arange(len(image))[:, None] * np.ones(image.shape[1]) < len(image) / 2
            for image in images
        ]


def _block(share: float) -> NDArray[np.bool_]:
    """A mask of 100 x 100 whose upper rows are animal."""
    mask = np.zeros((100, 100), np.bool_)
    mask[: round(100 * share)] = True
    return mask


def test_a_mask_between_the_bounds_is_used_as_it_is() -> None:
    found = Animal.of(_block(0.4), _view())
    assert found.outcome == "used"
    np.testing.assert_array_equal(found.mask, _block(0.4))


@pytest.mark.parametrize(
    ("share", "outcome"),
    [(0.0, "little"), (LEAST - 0.01, "little"), (MOST + 0.01, "all"), (1.0, "all")],
)
def test_a_mask_of_hardly_anything_or_nearly_all_leaves_the_whole_picture(
    share: float, outcome: str
) -> None:
    found = Animal.of(_block(share), _view())
    assert found.outcome == outcome
    assert found.mask.all()


def test_an_animal_of_few_pixels_leaves_the_whole_picture() -> None:
    """However large its mask is: what counts is the picture's own size."""
    side = int(MIN_PIXELS**0.5)
    assert Animal.of(_block(0.5), _view(WHOLE_PICTURE, side, side)).outcome == "small"
    assert Animal.of(_block(0.5), _view(WHOLE_PICTURE, 2 * side, 2 * side)).outcome == "used"


@pytest.mark.parametrize("shape", [(100, 150), (2, 9000)])
def test_a_segmenter_is_not_asked_about_too_few_pixels(shape: tuple[int, int]) -> None:
    found = Animal.find(_Asked(), View.whole(np.zeros((*shape, 3), np.uint8)))
    assert found.outcome == "small"
    assert found.mask.all()


def test_a_large_picture_is_segmented_small() -> None:
    segmenter = _Asked()
    found = Animal.find(segmenter, View.whole(np.zeros((3000, 2000, 3), np.uint8)))
    assert segmenter.shapes == [(LONGEST_SIDE, round(LONGEST_SIDE * 2 / 3))]
    assert found.outcome == "used"
    assert found.mask.mean() == pytest.approx(0.5, abs=0.01)


def test_a_small_part_beside_the_animal_is_not_of_it() -> None:
    mask = _block(0.4)
    mask[60:70, 60:70] = True
    np.testing.assert_array_equal(Animal.of(mask, _view()).mask, _block(0.4))


def test_an_animal_behind_a_trunk_keeps_both_its_parts() -> None:
    mask = _block(0.4)
    mask[:, 45:55] = False
    np.testing.assert_array_equal(Animal.of(mask, _view()).mask, mask)


def _with(*parts: tuple[slice, slice]) -> NDArray[np.bool_]:
    mask = np.zeros((100, 100), np.bool_)
    for part in parts:
        mask[part] = True
    return mask


MIDDLE = (slice(35, 65), slice(30, 70))
NEIGHBOUR = (slice(30, 90), slice(72, 100))


def test_of_two_animals_in_a_box_the_one_in_its_middle_is_taken() -> None:
    """The other is larger, and reaches from outside into the box."""
    found = Animal.of(_with(MIDDLE, NEIGHBOUR), _view(BOX))
    assert found.outcome == "used"
    np.testing.assert_array_equal(found.mask, _with(MIDDLE)[20:80, 20:80])


def test_what_of_the_animal_reaches_out_of_its_box_is_cut_off() -> None:
    found = Animal.of(_with((slice(10, 60), slice(30, 70))), _view(BOX))
    assert found.outcome == "used"
    assert found.mask[:40, 10:50].all()
    assert found.mask.sum() == 40 * 40


def test_something_beside_the_middle_of_a_box_is_not_its_animal() -> None:
    found = Animal.of(_with(NEIGHBOUR), _view(BOX))
    assert found.outcome == "beside"
    assert found.mask.all()


def test_an_animal_that_has_the_picture_to_itself_may_be_anywhere_in_it() -> None:
    assert Animal.of(_with(NEIGHBOUR), _view()).outcome == "used"


def test_a_box_is_shown_with_what_is_around_it() -> None:
    segmenter = _Asked()
    picture = np.zeros((400, 400, 3), np.uint8)
    Animal.find(segmenter, View.around(picture, Box(x=0.4, y=0.4, width=0.5, height=0.5)))
    # A quarter of it on each side, but on two the picture ends first.
    assert segmenter.shapes == [(290, 290)]


def test_a_segmenter_that_wants_no_surroundings_is_shown_the_box_alone() -> None:
    segmenter = _Asked()
    segmenter.surroundings = False
    picture = np.zeros((400, 400, 3), np.uint8)
    found = Animal.find(segmenter, View.around(picture, Box(x=0.4, y=0.4, width=0.5, height=0.5)))
    assert segmenter.shapes == [(200, 200)]
    assert found.mask.shape == (200, 200)


def test_every_segmenter_finds_under_a_name_of_its_own() -> None:
    other = _Asked()
    other.fingerprint = "other"
    assert finder(_Asked()) == finder(_Asked()) != finder(other)

"""Which masks are gone by, and which part of them is the animal."""

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.foreground.animal import FEWEST_PIXELS, LEAST, LONGEST_SIDE, MOST, Animal

SIZE = (1000, 800)


class _Asked:
    """Sees the animal in the upper half, and remembers what it was shown."""

    fingerprint = "asked"

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def mask(self, image: NDArray[np.uint8]) -> NDArray[np.bool_]:
        self.shapes.append(image.shape[:2])
        return np.arange(len(image))[:, None] * np.ones(image.shape[1]) < len(image) / 2


def _block(share: float) -> NDArray[np.bool_]:
    """A mask of 100 x 100 whose upper rows are animal."""
    mask = np.zeros((100, 100), np.bool_)
    mask[: round(100 * share)] = True
    return mask


def test_a_mask_between_the_bounds_is_used_as_it_is() -> None:
    found = Animal.of(_block(0.4), *SIZE)
    assert found.outcome == "used"
    np.testing.assert_array_equal(found.mask, _block(0.4))


@pytest.mark.parametrize(
    ("share", "outcome"),
    [(0.0, "little"), (LEAST - 0.01, "little"), (MOST + 0.01, "all"), (1.0, "all")],
)
def test_a_mask_of_hardly_anything_or_nearly_all_leaves_the_whole_picture(
    share: float, outcome: str
) -> None:
    found = Animal.of(_block(share), *SIZE)
    assert found.outcome == outcome
    assert found.mask.all()


def test_an_animal_of_few_pixels_leaves_the_whole_picture() -> None:
    """However large its mask is: what counts is the picture's own size."""
    side = int(FEWEST_PIXELS**0.5)
    assert Animal.of(_block(0.5), side, side).outcome == "small"
    assert Animal.of(_block(0.5), 2 * side, 2 * side).outcome == "used"


@pytest.mark.parametrize("shape", [(100, 150), (2, 9000)])
def test_a_segmenter_is_not_asked_about_too_few_pixels(shape: tuple[int, int]) -> None:
    found = Animal.find(_Asked(), np.zeros((*shape, 3), np.uint8))
    assert found.outcome == "small"
    assert found.mask.shape == shape


def test_a_large_picture_is_segmented_small() -> None:
    segmenter = _Asked()
    found = Animal.find(segmenter, np.zeros((3000, 2000, 3), np.uint8))
    assert segmenter.shapes == [(LONGEST_SIDE, round(LONGEST_SIDE * 2 / 3))]
    assert found.outcome == "used"
    assert found.mask.mean() == pytest.approx(0.5, abs=0.01)


def test_a_small_part_beside_the_animal_is_not_of_it() -> None:
    mask = _block(0.4)
    mask[60:70, 60:70] = True
    np.testing.assert_array_equal(Animal.of(mask, *SIZE).mask, _block(0.4))


def test_an_animal_behind_a_trunk_keeps_both_its_parts() -> None:
    mask = _block(0.4)
    mask[:, 45:55] = False
    np.testing.assert_array_equal(Animal.of(mask, *SIZE).mask, mask)

"""Shrinking keeps the form, and never enlarges."""

import numpy as np
import pytest

from shared.images.resize import resized


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((300, 200), (100, 67)),
        ((20, 1000), (2, 100)),
        ((1, 1000), (1, 100)),
        ((80, 100), (80, 100)),
    ],
)
def test_the_longest_side_is_at_most_what_was_asked_for(
    shape: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert resized(np.zeros((*shape, 3), np.uint8), 100).shape == (*expected, 3)


def test_a_small_picture_stays_as_it_is() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    assert resized(picture, 100) is picture

"""What a model of animals alone is shown."""

import numpy as np
import pytest

from services.embedder.encoders.cut_out import GROUND, alone
from shared.foreground.close_up import SURROUNDINGS

MASK = np.zeros((20, 30), np.bool_)
MASK[5:15, 9:21] = True  # a quarter to three quarters of the height, .3 to .7 of the width


def _crop() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)


def test_the_animal_is_shown_from_near() -> None:
    height, width, _ = alone(_crop(), MASK).shape
    assert height == pytest.approx(200 * (0.5 + 2 * SURROUNDINGS), abs=2)
    assert width == pytest.approx(300 * (0.4 + 2 * SURROUNDINGS), abs=2)


def test_the_animal_keeps_its_pixels_and_the_ground_loses_them() -> None:
    crop, margin = _crop(), 8
    seen = alone(crop, MASK)
    assert np.array_equal(seen[margin + 5 : -margin - 5, 17:-17], crop[55:145, 95:205])
    assert (seen[:3] == GROUND).all()
    assert (seen[:, -6:] == GROUND).all()


def test_what_was_outside_of_the_mask_does_not_matter_away_from_its_edge() -> None:
    crop, other = _crop(), _crop()
    full = np.kron(MASK, np.ones((10, 10), np.bool_))
    far = np.ones_like(full)
    far[40:160, 80:220] = False
    other[far] = 0
    np.testing.assert_array_equal(alone(crop, MASK), alone(other, MASK))

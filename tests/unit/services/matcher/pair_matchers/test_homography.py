"""Inliers of one homography."""

import numpy as np
import pytest
from numpy.typing import NDArray

from services.matcher.pair_matchers.homography import inliers

Points = NDArray[np.float32]

GRID = np.stack(np.meshgrid(np.arange(10), np.arange(8)), -1).reshape(-1, 2).astype(np.float32) * 30


def _seen_from_elsewhere(points: Points) -> Points:
    turned = points @ np.array([[0.9, 0.3], [-0.25, 0.95]]) + [40, 10]
    return np.asarray(turned / (1 + points[:, :1] * 4e-4), np.float32)


def test_points_of_one_surface_are_inliers() -> None:
    assert inliers(GRID, _seen_from_elsewhere(GRID)) == len(GRID)


def test_strays_are_not() -> None:
    target = _seen_from_elsewhere(GRID)
    target[::4] += np.random.default_rng(0).uniform(60, 200, (20, 2)).astype(np.float32)
    assert inliers(GRID, target) == pytest.approx(60, abs=2)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_too_few_points_have_none(count: int) -> None:
    assert inliers(GRID[:count], GRID[:count]) == 0


def test_points_that_define_no_homography_are_no_error() -> None:
    same = np.ones((12, 2), np.float32)
    line = np.stack([np.arange(12), np.arange(12)], 1).astype(np.float32)
    assert 0 <= inliers(same, same) <= 12
    assert 0 <= inliers(line, line) <= 12

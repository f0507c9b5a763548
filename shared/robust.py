"""Robust centre and spread of the scores of a list in which most are other animals."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

# The spread is taken below the median, where no picture of the same animal is: from there down to
# the 16th percentile, one standard deviation of a normal distribution.
BELOW = 0.16


def center_and_spread(
    scores: NDArray[np.float64], least: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return median and spread, at least `least`, of scores [N, ...] along the first axis."""
    median, low = np.median(scores, axis=0), np.quantile(scores, BELOW, axis=0)
    return median, np.maximum(median - low, least)

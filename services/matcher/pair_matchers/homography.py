"""Counts the matches that agree with one flat surface."""

import cv2
import numpy as np
from numpy.typing import NDArray

MIN_POINTS = 4  # points that define a homography
TOLERANCE = 6.0  # pixels; flanks bend, so more than for a wall
ITERATIONS = 500
CONFIDENCE = 0.99


def inliers(source: NDArray[np.float32], target: NDArray[np.float32]) -> int:
    """Return how many of the matched points [M, 2] agree with one homography."""
    return int(np.count_nonzero(agreeing(source, target)))


def agreeing(source: NDArray[np.float32], target: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which of the matched points [M, 2] agree with one homography (USAC MAGSAC++).

    None do if there are too few, or they define none (all on a line, all equal).
    """
    none = np.zeros(len(source), np.bool_)
    if len(source) < MIN_POINTS:
        return none
    matrix, mask = cv2.findHomography(
        source,
        target,
        cv2.USAC_MAGSAC,
        TOLERANCE,
        maxIters=ITERATIONS,
        confidence=CONFIDENCE,
    )
    return none if matrix is None else np.asarray(mask.ravel() > 0)

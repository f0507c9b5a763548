"""GrabCut (Rother et al. 2004): segmentation by colour, without trained weights."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.images.resize import resized

# Colours need no detail, and the cost grows with the pixels: 0.2 s at this side.
LONGEST_SIDE = 200
ITERATIONS = 5
# The animal touches the box on every side, so outside an inscribed ellipse is background, and its
# inner part, of this size, is animal.
CORE = 0.35
# The colour models need some pixels of each kind.
MIN_PIXELS = 50
# A mask hardly larger than the core has lost the animal to the background. The ellipse bounds it
# from above.
LEAST_GROWTH = 1.2


class GrabCutSegmenter:
    """A crude segmenter: mostly body and legs, with nearby pixels of similar colour."""

    fingerprint = f"grabcut1-{LONGEST_SIDE}px"
    surroundings = False

    def masks(self, images: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.bool_]]:
        """Return each crop's mask; the ellipse where colours do not separate the animal."""
        return [self._mask(image) for image in images]

    def _mask(self, image: NDArray[np.uint8]) -> NDArray[np.bool_]:
        height, width = image.shape[:2]
        found = _animal(resized(image, LONGEST_SIDE)).astype(np.uint8)
        return np.asarray(cv2.resize(found, (width, height), interpolation=cv2.INTER_NEAREST) > 0)


def _animal(image: NDArray[np.uint8]) -> NDArray[np.bool_]:
    around = _ellipse(image.shape[:2], 1.0)
    core = _ellipse(image.shape[:2], CORE)
    if min(np.count_nonzero(core), np.count_nonzero(~around)) < MIN_PIXELS:
        return around
    labels = np.full(image.shape[:2], cv2.GC_BGD, np.uint8)
    labels[around] = cv2.GC_PR_FGD
    labels[core] = cv2.GC_FGD
    cv2.setRNGSeed(
        0
    )  # OpenCV 4 initialises the colour models by k-means with this thread's random state
    animals, grounds = np.zeros((1, 65)), np.zeros((1, 65))
    unused = (0, 0, 0, 0)  # the rectangle of another mode
    cv2.grabCut(image, labels, unused, grounds, animals, ITERATIONS, cv2.GC_INIT_WITH_MASK)
    animal = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))
    return animal if animal.sum() >= LEAST_GROWTH * core.sum() else around


def _ellipse(shape: tuple[int, ...], reach: float) -> NDArray[np.bool_]:
    """Return the ellipse in the middle of a picture; reach 1 touches its sides."""
    y, x = ((2 * np.arange(side) + 1) / side - 1 for side in shape)  # pixel centres
    return np.asarray(np.hypot(x[None, :], y[:, None]) <= reach)

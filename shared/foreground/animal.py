"""From a segmenter's mask to the animal, or the reason why the mask is not to be gone by.

A mask that misses would leave an animal without keypoints, and one without keypoints passes for
one never seen before. What U²-Netp's masks were like: 210 of 210 nyalas and zebras pass, with
24,000 pixels or more and 21 to 63 % of their picture; 1 of 120 lions' thumbnails does; and 22
of 120 close-ups of cats' faces, where mostly an eye stands out.
"""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.foreground.segmenter import Segmenter
from shared.shrinking import shrunk

# A part that is smaller than this, of the largest, is not of the animal.
LEAST_PART = 0.25
# Of the picture's pixels, an animal has more than the one and less than the other share.
LEAST, MOST = 0.03, 0.75
# With fewer pixels a coat shows nothing.
FEWEST_PIXELS = 16_000
# Outlines need no more detail.
LONGEST_SIDE = 512
FINGERPRINT = f"animal1-{LONGEST_SIDE}px-{LEAST_PART:g}-{LEAST:g}-{MOST:g}-{FEWEST_PIXELS}"

Outcome = Literal["used", "little", "all", "small"]


@dataclass(frozen=True, eq=False)
class Animal:
    """Where the animal is, and what was made of its mask.

    mask: bool [h, w]; all of the picture unless the mask is used
    outcome: `used`, or what is wrong with it: it covers too `little` of the picture, nearly
        `all` of it, or the animal is too `small` in pixels
    """

    mask: NDArray[np.bool_]
    outcome: Outcome

    @classmethod
    def find(cls, segmenter: Segmenter, picture: NDArray[np.uint8]) -> "Animal":
        """Return the animal of an RGB picture, uint8 [H, W, 3].

        The segmenter is not asked where no mask could be gone by.
        """
        height, width = picture.shape[:2]
        if MOST * width * height < FEWEST_PIXELS:
            return cls(np.ones((height, width), np.bool_), "small")
        return cls.of(segmenter.mask(shrunk(picture, LONGEST_SIDE)), width, height)

    @classmethod
    def of(cls, mask: NDArray[np.bool_], width: int, height: int) -> "Animal":
        """Return the animal of a mask [h, w], at any scale, of a picture of that size."""
        parts = _main_parts(mask)
        share = float(parts.mean())
        outcome: Outcome = "used"
        if share < LEAST:
            outcome = "little"
        elif share > MOST:
            outcome = "all"
        elif share * width * height < FEWEST_PIXELS:
            outcome = "small"
        return cls(parts if outcome == "used" else np.ones_like(mask), outcome)


def _main_parts(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return a mask without its small parts."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    areas = stats[:, cv2.CC_STAT_AREA]
    areas[0] = 0  # of what is no part
    return np.asarray(mask & (areas >= LEAST_PART * areas.max())[labels])

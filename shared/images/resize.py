"""Downscaling of pictures."""

import cv2
import numpy as np
from numpy.typing import NDArray


def resized(picture: NDArray[np.uint8], longest_side: int) -> NDArray[np.uint8]:
    """Return an RGB picture [H, W, 3] with at most that longest side; it is never enlarged."""
    height, width = picture.shape[:2]
    factor = longest_side / max(height, width)
    if factor >= 1:
        return picture
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)

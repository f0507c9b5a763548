"""Removes an animal's surroundings, for models trained on animals alone."""

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.foreground import close_up
from shared.foreground.close_up import CloseUp
from shared.images.rgb import Pixels

# ImageNet's mean colour, which networks treat as empty.
GROUND = (124, 116, 104)
# Masks are inexact, so edges are softened over this fraction of the crop's longest side.
SOFTNESS = 0.004
FINGERPRINT = f"alone1-{SOFTNESS:g}-{close_up.FINGERPRINT}"


def alone(crop: Pixels, mask: NDArray[np.bool_]) -> Pixels:
    """Return the part of a crop [H, W, 3] that its animal fills, on a plain background.

    `mask` covers the crop at any scale, [h, w], and is not empty.
    """
    height, width = crop.shape[:2]
    longest = max(height, width)
    view = CloseUp.of(mask, width, height, longest)
    full = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_NEAREST)
    soft = cv2.GaussianBlur(full, (0, 0), max(0.5, SOFTNESS * longest))[..., None]
    rows, columns = slice(view.top, view.bottom), slice(view.left, view.right)
    share = soft[rows, columns]
    seen = crop[rows, columns] * share + np.array(GROUND, np.float32) * (1 - share)
    return np.asarray(seen.round(), dtype=np.uint8)

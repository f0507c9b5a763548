"""Replaces backgrounds, so that the model cannot learn locations."""

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.images.rgb import Pixels

_PATCHES = 6  # blocks per side: about as coarse as grass, sky and ground


def replace_background(
    image: Pixels, animal: NDArray[np.bool_], rng: np.random.Generator
) -> Pixels:
    """Return a picture [H, W, 3] with random soft colours where `animal` [H, W] is false."""
    height, width = image.shape[:2]
    patches = rng.integers(0, 256, (_PATCHES, _PATCHES, 3)).astype(np.uint8)
    elsewhere = cv2.resize(patches, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.where(animal[..., None], image, elsewhere).astype(np.uint8)

"""Textured pictures."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


@pytest.fixture(scope="session")
def textured() -> Callable[[int], Picture]:
    """Draw a coat of random blots, RGB uint8 [288, 384, 3], another for each seed."""

    def draw(seed: int) -> Picture:
        blots = np.random.default_rng(seed).integers(0, 256, (36, 48, 3), dtype=np.uint8)
        coat = cv2.resize(blots, (384, 288), interpolation=cv2.INTER_CUBIC)
        return np.asarray(coat, dtype=np.uint8)

    return draw

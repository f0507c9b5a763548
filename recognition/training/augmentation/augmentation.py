"""Simulates another camera and another hour."""

from collections.abc import Callable

import numpy as np

from recognition.training.augmentation.geometry import reframe
from recognition.training.augmentation.infrared import infrared
from recognition.training.augmentation.occlusion import grass, trunk
from recognition.training.augmentation.optics import (
    colour,
    defocus,
    exposure,
    jpeg,
    motion_blur,
    noise,
)
from shared.images.rgb import Pixels

Change = Callable[[Pixels, np.random.Generator], Pixels]

# In physical order: what is in front of the lens, light, lens, sensor, file.
CHANGES: tuple[tuple[float, Change], ...] = (
    (0.25, grass),
    (0.25, trunk),
    (0.5, exposure),
    (0.4, colour),
    (0.2, infrared),
    (0.1, motion_blur),
    (0.1, defocus),
    (0.15, noise),
    (0.25, jpeg),
)


def augment(image: Pixels, side: int, rng: np.random.Generator) -> Pixels:
    """Return one random variant uint8 [side, side, 3] of a crop uint8 [R, R, 3], R ≥ side.

    Equal generators give equal variants. Nothing is mirrored.
    """
    changed = reframe(image, side, rng)
    for probability, change in CHANGES:
        if rng.random() < probability:
            changed = change(changed, rng)
    return changed

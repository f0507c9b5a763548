"""Simulates a camera with an infrared flash."""

import cv2
import numpy as np

from recognition.training.augmentation.optics import noise
from shared.images.rgb import Pixels

# Plants reflect near infrared, so green counts more than in luminance, and blue hardly.
_WEIGHTS = ((0.2, 0.5), (0.4, 0.7), (0.0, 0.15))
_DARKEST = 0.15


def infrared(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Return a grey picture uint8 [H, W, 3] with flash, glow, falloff and grain."""
    height, width = image.shape[:2]
    weights = np.array([rng.uniform(*limits) for limits in _WEIGHTS], np.float32)
    grey = image.astype(np.float32) @ (weights / weights.sum())
    y, x = np.mgrid[:height, :width].astype(np.float32)
    centre = rng.uniform(0.25, 0.75, 2)
    distance = np.hypot(y / height - centre[0], x / width - centre[1])
    beam = _DARKEST + (1 - _DARKEST) * np.exp(-((distance / rng.uniform(0.35, 0.9)) ** 2))
    lit = grey * beam * rng.uniform(0.8, 1.7)
    # Bright areas bloom.
    spill = cv2.GaussianBlur(np.maximum(lit - 190, 0), (0, 0), max(1.0, width / 25))
    grained = np.clip(lit + spill * rng.uniform(0, 1.5) + rng.uniform(0, 25), 0, 255)
    return noise(np.repeat(grained.astype(np.uint8)[..., None], 3, axis=2), rng)

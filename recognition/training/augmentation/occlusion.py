"""Simulates objects between the camera and the animal."""

import cv2
import numpy as np

from shared.images.rgb import Pixels

_MOST_BLADES = 14
_LARGEST_BOX = 0.35  # of the picture's side


def grass(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Draw blades of grass from the lower edge, in the picture's own colours."""
    covered = image.copy()
    height, width = image.shape[:2]
    for _ in range(int(rng.integers(3, _MOST_BLADES + 1))):
        along = np.linspace(0, 1, 12)
        x = rng.uniform(0, width) + rng.normal(0, 0.15) * width * along**2
        y = height * (1 - rng.uniform(0.2, 0.85) * along)
        pixel = image[rng.integers(height // 2, height), rng.integers(width)]
        shade = np.clip(pixel * rng.uniform(0.5, 1.3), 0, 255)
        cv2.polylines(
            covered,
            [np.stack([x, y], axis=1).round().astype(np.int32)],
            isClosed=False,
            color=tuple(float(value) for value in shade),
            thickness=int(rng.integers(1, max(2, width // 55) + 1)),
            lineType=cv2.LINE_AA,
        )
    return covered


def trunk(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Cover one box with another part of the picture, like a trunk or a rock."""
    covered = image.copy()
    height, width = image.shape[:2]
    tall = int(height * rng.uniform(0.1, _LARGEST_BOX))
    wide = int(width * rng.uniform(0.1, _LARGEST_BOX))
    top, left = int(rng.integers(0, height - tall)), int(rng.integers(0, width - wide))
    # The picture's edge is rarely the animal.
    from_top, from_left = int(rng.integers(0, height - tall)), int(rng.choice([0, width - wide]))
    covered[top : top + tall, left : left + wide] = image[
        from_top : from_top + tall, from_left : from_left + wide
    ]
    return covered

"""Random zoom, rotation and perspective in one warp, so that pixels are interpolated only once."""

import cv2
import numpy as np

from shared.images.rgb import Pixels

SMALLEST = 0.75  # minimum share of the picture's side that is kept
_TURN_DEGREES = 10.0
_SLANT = 0.06  # of the side, displacement of each corner


def reframe(image: Pixels, side: int, rng: np.random.Generator) -> Pixels:
    """Return a random part of a picture [R, R, 3], slightly rotated and slanted: [side, side, 3].

    Never mirrored: a mirrored flank is another coat.
    """
    whole = image.shape[0]
    width, height = whole * rng.uniform(SMALLEST, 1.0, 2)
    centre = (
        whole / 2 + rng.uniform(-0.5, 0.5) * (whole - width),
        whole / 2 + rng.uniform(-0.5, 0.5) * (whole - height),
    )
    angle = np.deg2rad(rng.uniform(-_TURN_DEGREES, _TURN_DEGREES))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
    corners += rng.uniform(-_SLANT, _SLANT, corners.shape)
    source = (corners * (width, height)) @ turn.T + centre
    target = np.array([[0, 0], [side, 0], [side, side], [0, side]]) - 0.5
    homography = cv2.getPerspectiveTransform(source.astype(np.float32), target.astype(np.float32))
    warped = cv2.warpPerspective(
        image, homography, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(warped, np.uint8)

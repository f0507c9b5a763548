"""Effects of lens, shutter, sensor and file on a picture, uint8 [H, W, 3]."""

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.images import codec
from shared.images.rgb import Pixels

_JPEG_QUALITY = (25, 80)


def motion_blur(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Smear along one direction, as a walking animal does at dusk."""
    length = int(rng.integers(3, max(4, image.shape[0] // 18)))
    kernel = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1
    centre = (length - 1) / 2
    turned = cv2.warpAffine(
        kernel, cv2.getRotationMatrix2D((centre, centre), rng.uniform(0, 180), 1), (length, length)
    )
    return np.asarray(cv2.filter2D(image, -1, turned / turned.sum()), np.uint8)


def defocus(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Blur with a disc, as for an animal too near to the camera."""
    radius = int(rng.integers(1, max(2, image.shape[0] // 70) + 1))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2).astype(np.float32)
    return np.asarray(cv2.filter2D(image, -1, disc / disc.sum()), np.uint8)


def exposure(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Change brightness, contrast and gamma; highlights clip."""
    scale = np.linspace(0, 1, 256) ** np.exp(rng.uniform(-0.5, 0.5))
    gain, pivot = rng.uniform(0.6, 1.45), rng.uniform(0.35, 0.65)
    curve = (scale - pivot) * gain + pivot + rng.uniform(-0.15, 0.15)
    return _mapped(image, curve)


def colour(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Change white balance and saturation."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32)
    vivid = grey + (image - grey) * rng.uniform(0.4, 1.3)
    return np.asarray(np.clip(vivid * rng.uniform(0.9, 1.1, 3), 0, 255), np.uint8)


def noise(image: Pixels, rng: np.random.Generator) -> Pixels:
    """The grain of a sensor at high gain."""
    grain = rng.normal(0, rng.uniform(3, 16), image.shape).astype(np.float32)
    return np.asarray(np.clip(image + grain, 0, 255), np.uint8)


def jpeg(image: Pixels, rng: np.random.Generator) -> Pixels:
    """The blocks of a small file."""
    return codec.decode(codec.encode_jpeg(image, int(rng.integers(*_JPEG_QUALITY))))


def _mapped(image: Pixels, curve: NDArray[np.float64]) -> Pixels:
    table = (np.clip(curve, 0, 1) * 255).astype(np.uint8)
    return np.asarray(cv2.LUT(image, table), np.uint8)

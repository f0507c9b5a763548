"""Light: the same scene by day, at dusk, and at night under the camera's infrared flash."""

from enum import Enum

import cv2
import numpy as np

from recognition.synthetic.coat import Field


class Light(Enum):
    """When a picture is taken."""

    DAY = "day"
    DUSK = "dusk"
    NIGHT = "night"


def light_at(hour: float) -> Light:
    """Return the light at an hour of the day, near the equator."""
    if 7.0 <= hour < 17.5:
        return Light.DAY
    if 6.0 <= hour < 7.0 or 17.5 <= hour < 18.8:
        return Light.DUSK
    return Light.NIGHT


def illuminate(scene: Field, animals: Field, light: Light, rng: np.random.Generator) -> Field:
    """Return an RGB scene [H, W, 3] 0..255 as the camera takes it.

    `animals` [H, W] 0..1: fur reflects more of the flash than plants far behind it.
    """
    exposure = float(rng.uniform(0.88, 1.1))
    if light is Light.DAY:
        warmth = float(rng.uniform(-0.04, 0.05))
        balance = np.array([1.0 + warmth, 1.0, 1.0 - warmth], np.float32)
        return _noisy(scene * (balance * exposure), 2.5, rng)
    if light is Light.DUSK:
        balance = np.array([0.86, 0.76, 0.76], np.float32)
        haze = np.array([16.0, 11.0, 14.0], np.float32)
        return _noisy(scene * (balance * exposure * 0.86) + haze, 6.0, rng)
    return _infrared(scene, animals, exposure, rng)


def _infrared(scene: Field, animals: Field, exposure: float, rng: np.random.Generator) -> Field:
    height, width = animals.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    # The flash falls off to the edges and with distance: higher up is farther away.
    centre_x, centre_y = width * rng.uniform(0.42, 0.58), height * 0.66
    distance = np.hypot((x - centre_x) / width, 0.9 * (y - centre_y) / height)
    flash = np.exp(-3.2 * distance**2) * (0.35 + 0.65 * np.clip(y / (0.6 * height), 0.0, 1.0))
    grey = scene @ np.array([0.5, 0.35, 0.15], np.float32)
    lit = grey * (flash * 0.8 * (1.0 - animals) + (0.25 + 0.75 * flash) * 1.1 * animals)
    glow = cv2.GaussianBlur(lit, (0, 0), 7.0) * 0.14
    taken = cv2.GaussianBlur(lit, (0, 0), 0.6) * exposure + glow + 6.0
    noisy = _noisy(taken[..., None], 5.5, rng)
    return np.repeat(noisy, 3, axis=2)


def _noisy(picture: Field, deviation: float, rng: np.random.Generator) -> Field:
    noise = rng.standard_normal(picture.shape, np.float32) * deviation
    return np.clip(picture + noise, 0.0, 255.0)

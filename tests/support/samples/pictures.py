"""Pictures for tests, drawn from numbers; no two seeds look alike."""

import io
from typing import Any

import numpy as np
from PIL import Image

from shared.images.rgb import Pixels


def scene(width: int = 320, height: int = 240, seed: int = 0) -> Pixels:
    """Return a smooth coloured picture, uint8 [H, W, 3], that survives JPEG well."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (4, 5, 3), np.uint8)
    smooth = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(smooth)


def encoded(pixels: Pixels, kind: str = "JPEG", mode: str = "RGB", **options: Any) -> bytes:
    """Return pixels as a file of a kind and mode that Pillow can write."""
    target = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(target, kind, **options)
    return target.getvalue()


def photograph(width: int = 320, height: int = 240, seed: int = 0, **options: Any) -> bytes:
    """Return a JPEG of a scene."""
    return encoded(scene(width, height, seed), **options)


def coat(seed: int = 0, width: int = 320, height: int = 240) -> bytes:
    """Return a JPEG of blots, in which a network finds keypoints as it does on a coat."""
    blots = np.random.default_rng(seed).integers(0, 256, (24, 32, 3), np.uint8)
    large = Image.fromarray(blots).resize((width, height), Image.Resampling.BICUBIC)
    return encoded(np.asarray(large))

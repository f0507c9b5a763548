"""From a decoded picture to displayed RGB, with little extra memory."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from shared.errors import Poison

Pixels = NDArray[np.uint8]

# Pixels per strip when converting larger pictures.
STRIP_PIXELS = 4_000_000

# EXIF orientation -> view of the stored picture as displayed, without a copy.
_TURNS: Mapping[int, Callable[[Pixels], Pixels]] = {
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: stored[::-1].swapaxes(0, 1),
    7: lambda stored: stored[::-1, ::-1].swapaxes(0, 1),
    8: lambda stored: stored[:, ::-1].swapaxes(0, 1),
}
FIRST_SIDEWAYS = 5
ORIENTATIONS = frozenset({1, *_TURNS})


def displayed(image: Image.Image, orientation: int) -> Pixels:
    """Return uint8 RGB [H, W, 3] of a loaded picture, which is closed.

    `orientation` is EXIF's, from 1 to 8. Transparent parts become black, 16 bits are scaled to 8.

    Raises:
        Poison: of kind unsupported-pixels.
    """
    pixels = _rgb(image)
    image.close()
    turn = _TURNS.get(orientation)
    return pixels if turn is None else np.ascontiguousarray(turn(pixels))


def _rgb(image: Image.Image) -> Pixels:
    if image.mode == "F":
        raise Poison(
            "the picture has floating-point pixels, whose brightness has no scale; "
            "save it with 8 or 16 bits per channel",
            kind="unsupported-pixels",
        )
    transparent = image.has_transparency_data
    rows = max(1, STRIP_PIXELS // image.width)
    if rows >= image.height:
        return _strip(image, transparent)
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    for top in range(0, image.height, rows):
        bottom = min(top + rows, image.height)
        pixels[top:bottom] = _strip(image.crop((0, top, image.width, bottom)), transparent)
    return pixels


def _strip(image: Image.Image, transparent: bool) -> Pixels:
    if image.mode.startswith("I"):
        deep = np.asarray(image).clip(0, 65535).astype(np.uint32)
        return np.repeat(((deep + 128) // 257).astype(np.uint8)[:, :, None], 3, axis=2)
    if transparent:
        cutout = image.convert("RGBA")
        flat = Image.new("RGB", image.size)
        flat.paste(cutout, mask=cutout.getchannel("A"))
        return np.asarray(flat)
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))

"""The part of a crop that the animal fills, scaled to the network's input."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

# Margin around the animal's box, as a fraction of the crop.
SURROUNDINGS = 0.04
# Enlarging helps networks with large strides; beyond this it only blurs.
LARGEST_FACTOR = 4.0
FINGERPRINT = f"closeup1-{SURROUNDINGS:g}-{LARGEST_FACTOR:g}"


@dataclass(frozen=True)
class CloseUp:
    """Pixels `left` ≤ x < `right`, `top` ≤ y < `bottom` of a crop, `factor` times as large.

    width, height: of the whole crop, in pixels
    """

    left: int
    top: int
    right: int
    bottom: int
    factor: float
    width: int
    height: int

    @classmethod
    def of(cls, animal: NDArray[np.bool_], width: int, height: int, longest_side: int) -> "CloseUp":
        """Return the view of a crop that its animal fills.

        `animal` is a non-empty mask of the crop at any scale, [h, w]; `longest_side` is that of the
        view in pixels, unless the animal is too small.
        """
        left, right = _extent(np.asarray(animal.any(axis=0)), width)
        top, bottom = _extent(np.asarray(animal.any(axis=1)), height)
        factor = min(LARGEST_FACTOR, longest_side / max(right - left, bottom - top))
        return cls(left, top, right, bottom, factor, width, height)

    @property
    def size(self) -> tuple[int, int]:
        """The view's width and height in its own pixels."""
        pixels = (self.right - self.left, self.bottom - self.top)
        width, height = (max(1, round(side * self.factor)) for side in pixels)
        return width, height

    def picture(self, crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return what the view shows of the crop, RGB uint8 [H, W, 3]."""
        part = crop[self.top : self.bottom, self.left : self.right]
        kind = cv2.INTER_AREA if self.factor < 1 else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(part, self.size, interpolation=kind), dtype=np.uint8)

    def mask(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return what the view shows of a mask of the crop, [h, w] at any scale."""
        whole = (self.width, self.height)
        full = cv2.resize(mask.astype(np.uint8), whole, interpolation=cv2.INTER_NEAREST)
        part = full[self.top : self.bottom, self.left : self.right]
        return np.asarray(cv2.resize(part, self.size, interpolation=cv2.INTER_NEAREST) > 0)

    @property
    def window(self) -> tuple[float, float, float, float]:
        """The part of the crop that is shown: left, top, width, height, as fractions of it."""
        left, width = self.left / self.width, (self.right - self.left) / self.width
        top, height = self.top / self.height, (self.bottom - self.top) / self.height
        rounded = np.array([left, top, width, height], dtype=np.float32).tolist()
        return rounded[0], rounded[1], rounded[2], rounded[3]


def _extent(shown: NDArray[np.bool_], pixels: int) -> tuple[int, int]:
    """Return start and end of the view on one axis, with its margin."""
    at = np.flatnonzero(shown) / len(shown)
    first = max(0.0, at[0] - SURROUNDINGS)
    end = min(1.0, at[-1] + 1 / len(shown) + SURROUNDINGS)
    return int(first * pixels), int(np.ceil(end * pixels))

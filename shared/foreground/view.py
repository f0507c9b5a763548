"""A box with its surroundings, as segmenters need it."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from shared.identifiers import WHOLE_PICTURE
from shared.images.resize import resized
from shared.images.rgb import Pixels
from shared.messages import Box

# Margin on every side, as a fraction of the box, as far as the picture has it.
SURROUNDINGS = 0.25
# Enough detail for outlines.
LONGEST_SIDE = 512
FINGERPRINT = f"view1-{SURROUNDINGS:g}-{LONGEST_SIDE}px"

T = TypeVar("T", bound=np.generic)

Extent = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class View:
    """A segmenter's input for one animal.

    picture: RGB, uint8 [H, W, 3], its longest side at most `LONGEST_SIDE`
    box: left, top, right and bottom of the animal's box in it, as fractions
    width, height: of the box in the picture that it is from, in pixels
    """

    picture: Pixels
    box: Extent
    width: int
    height: int

    @classmethod
    def around(cls, picture: Pixels, box: Box) -> "View":
        """Return the view of a box, in fractions of a picture uint8 [H, W, 3]."""
        height, width = picture.shape[:2]
        left, right, *across = _axis(box.x, box.width, width)
        top, bottom, *down = _axis(box.y, box.height, height)
        return cls(
            resized(picture[top:bottom, left:right], LONGEST_SIDE),
            (across[0], down[0], across[1], down[1]),
            max(1, round(min(1.0, box.width) * width)),
            max(1, round(min(1.0, box.height) * height)),
        )

    @classmethod
    def whole(cls, picture: Pixels) -> "View":
        """Return the view of an animal without a box, in a picture uint8 [H, W, 3]."""
        height, width = picture.shape[:2]
        return cls(resized(picture, LONGEST_SIDE), WHOLE_PICTURE, width, height)

    def alone(self) -> "View":
        """Return the view without the surroundings of the box."""
        return View(self.of_box(self.picture), WHOLE_PICTURE, self.width, self.height)

    def of_box(self, seen: NDArray[T]) -> NDArray[T]:
        """Return the part of an array over the view, [h, w, …] at any scale, inside the box."""
        height, width = seen.shape[:2]
        left, top, right, bottom = self.box
        return seen[_pixels(top, bottom, height), _pixels(left, right, width)]


def _axis(start: float, length: float, pixels: int) -> tuple[int, int, float, float]:
    """Return start and end of the view on one axis, and the box's in it."""
    margin = SURROUNDINGS * length
    first = min(max(round((start - margin) * pixels), 0), pixels - 1)
    end = min(max(round((start + length + margin) * pixels), first + 1), pixels)
    begin, finish = (
        min(max((at * pixels - first) / (end - first), 0.0), 1.0) for at in (start, start + length)
    )
    return first, end, begin, finish


def _pixels(start: float, end: float, count: int) -> slice:
    first = min(round(start * count), count - 1)
    return slice(first, max(first + 1, round(end * count)))

"""A box of a picture with what is around it, as segmenters want it."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from shared.identifiers import WHOLE_PICTURE
from shared.images.resize import resized
from shared.images.rgb import Pixels
from shared.messages import Box

# What stands out is told by what it stands out from: of the box's width and height, so much is
# shown on every side where there is so much.
SURROUNDINGS = 0.25
# Outlines need no more detail.
LONGEST_SIDE = 512
FINGERPRINT = f"view1-{SURROUNDINGS:g}-{LONGEST_SIDE}px"

T = TypeVar("T", bound=np.generic)

Extent = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class View:
    """What a segmenter is shown of an animal.

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
        """Return the view of an animal that has a picture to itself, uint8 [H, W, 3]."""
        height, width = picture.shape[:2]
        return cls(resized(picture, LONGEST_SIDE), WHOLE_PICTURE, width, height)

    def alone(self) -> "View":
        """Return the view without what is around the box."""
        return View(self.of_box(self.picture), WHOLE_PICTURE, self.width, self.height)

    def of_box(self, seen: NDArray[T]) -> NDArray[T]:
        """Return of something seen in the view, [h, w, …] at any scale, what lies in the box."""
        height, width = seen.shape[:2]
        left, top, right, bottom = self.box
        return seen[_pixels(top, bottom, height), _pixels(left, right, width)]


def _axis(start: float, length: float, pixels: int) -> tuple[int, int, float, float]:
    """Return first and end pixel of the view, and where in it the box begins and ends."""
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

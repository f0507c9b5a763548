"""From a segmenter's mask to the animal, or the reason why the mask is not used.

A wrong mask would leave an animal without keypoints, and it would look new. Accepted masks of
U²-Netp: all of 362 zebras, 948 of 971 nyalas (16 to 60 % of the picture), none of 740 thumbnails of
lions, and 24 of 583 close-ups of cats' faces, where the network finds only parts of the face.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.foreground import view
from shared.foreground.segmenter import Segmenter
from shared.foreground.view import View
from shared.identifiers import WHOLE_PICTURE

# Parts smaller than this fraction of the main part are ignored.
LEAST_PART = 0.25
# So are parts with less than this fraction inside the box: they belong to a neighbour.
MOSTLY = 0.75
# The main part is the largest in the box's centre, of this relative size. Without a box the animal
# may be anywhere.
MIDDLE = 0.5
# Plausible share of the box that an animal covers.
LEAST, MOST = 0.03, 0.6
# Fewer pixels show no coat pattern.
MIN_PIXELS = 16_000
FINGERPRINT = (
    f"animal2-{LEAST_PART:g}-{MOSTLY:g}-{MIDDLE:g}-{LEAST:g}-{MOST:g}-{MIN_PIXELS}"
    f"-{view.FINGERPRINT}"
)

Outcome = Literal["used", "little", "all", "small", "beside"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


def finder(segmenter: Segmenter) -> str:
    """Return a name for everything that the masks depend on."""
    return f"{segmenter.fingerprint}-{FINGERPRINT}"


@dataclass(frozen=True, eq=False)
class Animal:
    """The animal in its box, and the outcome of its mask.

    mask: bool [h, w], of the box at any scale; all true unless the mask is used
    outcome: `used`, or why not: it covers too `little` of the box, nearly `all` of it, the animal
        is too `small` in pixels, or what was found is `beside` the box's centre
    """

    mask: NDArray[np.bool_]
    outcome: Outcome

    @classmethod
    def find(cls, segmenter: Segmenter, shown: View) -> "Animal":
        """Return the animal of a view; see `find_all`."""
        [animal] = cls.find_all(segmenter, [shown])
        return animal

    @classmethod
    def find_all(cls, segmenter: Segmenter, views: Sequence[View]) -> list["Animal"]:
        """Return the animal of each view.

        The segmenter is skipped where no mask could be accepted.
        """
        asked = [view if segmenter.surroundings else view.alone() for view in views if _large(view)]
        masks = segmenter.masks([view.picture for view in asked])
        answers = iter(zip(masks, asked, strict=True))
        return [
            cls.of(*next(answers))
            if _large(view)
            else cls(np.ones(view.picture.shape[:2], np.bool_), "small")
            for view in views
        ]

    @classmethod
    def of(cls, mask: NDArray[np.bool_], shown: View) -> "Animal":
        """Return the animal of a mask of a view, bool [h, w] at any scale."""
        parts = shown.of_box(_own_parts(mask, shown))
        share = float(parts.mean())
        outcome: Outcome = "used"
        if not parts.any() and mask.any():
            outcome = "beside"
        elif share < LEAST:
            outcome = "little"
        elif share > MOST:
            outcome = "all"
        elif share * shown.width * shown.height < MIN_PIXELS:
            outcome = "small"
        return cls(parts if outcome == "used" else np.ones_like(parts), outcome)


def _large(view: View) -> bool:
    return MOST * view.width * view.height >= MIN_PIXELS


def _own_parts(mask: NDArray[np.bool_], shown: View) -> NDArray[np.bool_]:
    """Return the parts of a mask that are the animal of the box."""
    count, found = cv2.connectedComponents(mask.astype(np.uint8))
    labels = np.asarray(found, dtype=np.int32)
    areas, inside = _areas(labels, count), _areas(shown.of_box(labels), count)
    middle = inside if shown.box == WHOLE_PICTURE else _areas(_middle(shown.of_box(labels)), count)
    main = int(middle.argmax())
    if not middle[main]:
        return np.zeros_like(mask)
    own = (inside >= LEAST_PART * inside[main]) & (inside >= MOSTLY * areas)
    own[main] = True
    own[0] = False
    return np.asarray(own[labels])


def _areas(labels: NDArray[np.int32], count: int) -> NDArray[np.int64]:
    """Return the pixels of each part; missing parts have none."""
    areas = np.bincount(labels.ravel(), minlength=count)
    areas[0] = 0
    return areas


def _middle(of: NDArray[np.int32]) -> NDArray[np.int32]:
    rows, columns = (
        slice(int(side * (1 - MIDDLE) / 2), int(np.ceil(side * (1 + MIDDLE) / 2)))
        for side in of.shape
    )
    return of[rows, columns]

"""Extracts a crop's keypoints: on the animal alone and magnified, if it has a mask."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.foreground import animal as animals
from shared.foreground import close_up
from shared.foreground.animal import Animal
from shared.foreground.close_up import CloseUp
from shared.foreground.segmenter import Segmenter
from shared.foreground.view import View
from shared.identifiers import WHOLE_PICTURE
from shared.images.resize import resized
from shared.keypoints.extractors.local_extractor import Framed, LocalExtractor
from shared.keypoints.keypoints import Keypoints, Window
from shared.messages import ModelReference

# How far outside the mask keypoints may be, in fractions of the view's longest side: outlines need
# both sides, and masks are inexact.
MARGIN = 0.02


@dataclass(frozen=True, eq=False)
class Crop:
    """A crop, RGB uint8 [H, W, 3], with the mask of the extractor's `finder`.

    animal: None if not segmented yet
    """

    image: NDArray[np.uint8]
    animal: Animal | None = None


class CropExtractor:
    """The best keypoints of a detector, in crops whose longest side is at most `longest_side`.

    With a `segmenter` they are on the animal, which is scaled to that side so that the network
    spends its resolution on it. If a mask is unusable, the whole crop is used.

    `model` names the network, its weights and all preprocessing; keypoints are compared only if it
    is equal. `descriptor_length` is D. `finder` names the segmenter; empty: none. `together`: crops
    that the device takes at once.
    """

    def __init__(
        self, detector: LocalExtractor, longest_side: int, segmenter: Segmenter | None = None
    ) -> None:
        self._detector = detector
        self._longest_side = longest_side
        self._segmenter = segmenter
        self.together = detector.together
        self.finder = "" if segmenter is None else animals.finder(segmenter)
        self.descriptor_length = detector.descriptor_length
        parts = [detector.model.preprocessing, f"longest{longest_side}"]
        if segmenter is not None:
            parts += [self.finder, close_up.FINGERPRINT, f"margin{MARGIN:g}"]
        self.model = ModelReference(
            name=detector.model.name,
            version=detector.model.version,
            preprocessing=_short(parts),
        )

    def extract(self, image: NDArray[np.uint8], animal: Animal | None = None) -> Keypoints:
        """Return the keypoints of one crop; see `extract_all`."""
        [found] = self.extract_all([Crop(image, animal)])
        return found

    def extract_all(self, crops: Sequence[Crop]) -> list[Keypoints]:
        """Return the keypoints of each crop, best first.

        Positions are in pixels of the scaled crop, or of the view of the animal; `window` says
        where in the crop that is. A featureless picture has none.
        """
        framed = [
            self._framed(crop.image, animal)
            for crop, animal in zip(crops, self._animals(crops), strict=True)
        ]
        found = self._detector.detect([picture for picture, _ in framed])
        return [
            replace(keypoints, window=window)
            for keypoints, (_, window) in zip(found, framed, strict=True)
        ]

    def _animals(self, crops: Sequence[Crop]) -> list[Animal | None]:
        """Return the usable masks of the animals, segmenting where necessary."""
        if self._segmenter is None:
            return [None for _ in crops]
        views = [View.whole(crop.image) for crop in crops if crop.animal is None]
        found = iter(Animal.find_all(self._segmenter, views))
        animals = [crop.animal or next(found) for crop in crops]
        return [animal if animal.outcome == "used" else None for animal in animals]

    def _framed(self, image: NDArray[np.uint8], animal: Animal | None) -> tuple[Framed, Window]:
        """Return what the detector sees of a crop, and which part of it that is."""
        if animal is None:
            return Framed(resized(image, self._longest_side)), WHOLE_PICTURE
        height, width = image.shape[:2]
        view = CloseUp.of(animal.mask, width, height, self._longest_side)
        return Framed(view.picture(image), _around(view.mask(animal.mask))), view.window


def _around(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return a mask [H, W] dilated by its margin."""
    reach = round(MARGIN * max(mask.shape))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.asarray(cv2.dilate(mask.astype(np.uint8), disc) > 0)


def _short(parts: Sequence[str]) -> str:
    """Return a short hash of all processing before and after the network."""
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:12]

"""Keypoints on the animal alone, seen from near."""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from services.matcher.extractor import KeypointExtractor, Preprocessing
from services.matcher.keypoints import Keypoints
from services.matcher.metrics import MASKS
from shared.foreground import close_up
from shared.foreground.animal import Animal, finder
from shared.foreground.close_up import CloseUp
from shared.foreground.segmenter import Segmenter
from shared.foreground.view import View
from shared.messages import ModelReference

# A third to a half of what is found in a nyala's box lies on the nyala, so a network behind a
# mask is asked for so many times more.
SURPLUS = 3
# How far outside of the mask a keypoint may lie, of the view's longest side: outlines
# are told by both sides of them, and masks are not exact.
MARGIN = 0.02


class ForegroundExtractor:
    """The best keypoints of another extractor that lie on the animal, seen from near.

    The animal fills the longest side of `preprocessing`, so the network spends its
    resolution on it. `inner` finds `SURPLUS` times as many keypoints as `preprocessing`
    allows, in pictures of that side.
    """

    def __init__(
        self, inner: KeypointExtractor, segmenter: Segmenter, preprocessing: Preprocessing
    ) -> None:
        self._inner = inner
        self._segmenter = segmenter
        self._preprocessing = preprocessing
        self.finder = finder(segmenter)
        parts = (
            inner.model.preprocessing,
            self.finder,
            close_up.FINGERPRINT,
            f"margin{MARGIN:g}",
            f"best{preprocessing.keypoints}",
        )
        self.model = ModelReference(
            name=inner.model.name, version=inner.model.version, preprocessing="-".join(parts)
        )
        self.descriptor_length = inner.descriptor_length

    def extract(self, image: NDArray[np.uint8], animal: Animal | None = None) -> Keypoints:
        """Return the keypoints of an RGB crop, uint8 [H, W, 3], that lie on the animal.

        Positions are in pixels of the view, and the `window` tells where in the crop it is.
        Where the mask is not to be gone by, they are those of the whole crop.
        """
        seen = animal or Animal.find(self._segmenter, View.whole(image))
        MASKS.labels("crop" if animal is None else "embedder", seen.outcome).inc()
        if seen.outcome != "used":
            return self._best(self._inner.extract(image))
        height, width = image.shape[:2]
        view = CloseUp.of(seen.mask, width, height, self._preprocessing.longest_side)
        found = self._inner.extract(view.picture(image))
        found = found.where(_on(view.mask(seen.mask), found.positions))
        return replace(self._best(found), window=view.window)

    def _best(self, found: Keypoints) -> Keypoints:
        best = np.zeros(len(found), dtype=np.bool_)
        best[np.argsort(-found.scores, kind="stable")[: self._preprocessing.keypoints]] = True
        return found.where(best)


def _on(mask: NDArray[np.bool_], positions: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which positions [K, 2] lie on a mask [H, W], or near it: bool [K]."""
    reach = round(MARGIN * max(mask.shape))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    near = cv2.dilate(mask.astype(np.uint8), disc) > 0
    corner = np.array([mask.shape[1] - 1, mask.shape[0] - 1])
    columns, rows = np.minimum(positions.astype(np.intp), corner).T
    return np.asarray(near[rows, columns])

"""Keypoints on the animal alone."""

import cv2
import numpy as np
from numpy.typing import NDArray

from services.matcher.extractor import KeypointExtractor, Preprocessing
from services.matcher.keypoints import Keypoints
from services.matcher.segmenter import Segmenter
from shared.messages import ModelReference

# About a third of the keypoints of a nyala's crop lie on the nyala, so a network behind
# a mask is asked for so many times more.
SURPLUS = 3
# How far outside of the mask a keypoint may lie, of the crop's longest side: outlines
# are told by both sides of them, and masks are not exact.
MARGIN = 0.02
# A mask smaller than this, of the picture, has missed the animal. Nothing is dropped
# then: an animal without keypoints would pass for one never seen before.
LEAST = 0.02


class ForegroundExtractor:
    """The best keypoints of another extractor that lie on the animal.

    `inner` finds `SURPLUS` times as many keypoints as `preprocessing` allows, in crops
    of its longest side.
    """

    def __init__(
        self, inner: KeypointExtractor, segmenter: Segmenter, preprocessing: Preprocessing
    ) -> None:
        self._inner = inner
        self._segmenter = segmenter
        self._preprocessing = preprocessing
        parts = (
            inner.model.preprocessing,
            segmenter.fingerprint,
            f"margin{MARGIN:g}",
            f"best{preprocessing.keypoints}",
        )
        self.model = ModelReference(
            name=inner.model.name, version=inner.model.version, preprocessing="-".join(parts)
        )
        self.descriptor_length = inner.descriptor_length

    def extract(self, image: NDArray[np.uint8]) -> Keypoints:
        """Return the keypoints of an RGB crop, uint8 [H, W, 3], that lie on the animal."""
        # The mask is of the picture that the network sees, so positions need no conversion.
        scaled = self._preprocessing.scaled(image)
        found = self._inner.extract(scaled)
        if len(found):
            found = found.where(_on(self._segmenter.mask(scaled), found.positions))
        best = np.zeros(len(found), dtype=np.bool_)
        best[np.argsort(-found.scores, kind="stable")[: self._preprocessing.keypoints]] = True
        return found.where(best)


def _on(mask: NDArray[np.bool_], positions: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which positions [K, 2] lie on a mask [H, W], or near it: bool [K]."""
    if mask.mean() < LEAST:
        return np.ones(len(positions), dtype=np.bool_)
    reach = round(MARGIN * max(mask.shape))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    near = cv2.dilate(mask.astype(np.uint8), disc) > 0
    corner = np.array([mask.shape[1] - 1, mask.shape[0] - 1])
    columns, rows = np.minimum(positions.astype(np.intp), corner).T
    return np.asarray(near[rows, columns])

"""SIFT keypoints (Lowe 2004), OpenCV's: no weights; a baseline for the networks."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.keypoints.extractors.local_extractor import (
    THINNEST,
    ExtractorOptions,
    Framed,
    one_by_one,
)
from shared.keypoints.keypoints import Keypoints, none_in, sound
from shared.messages import ModelReference

NAME = "sift"
DESCRIPTOR_LENGTH = 128
# OpenCV's default. Sensor noise of 3 grey levels stays below it.
CONTRAST = 0.04


class SiftExtractor:
    """SIFT with root descriptors (Arandjelović & Zisserman 2012), compared by cosine."""

    together = 1

    def __init__(self, keypoints: int) -> None:
        self._sift = cv2.SIFT_create(contrastThreshold=CONTRAST)  # type: ignore[attr-defined]
        self._keypoints = keypoints
        self.model = ModelReference(
            name=NAME,
            version=cv2.__version__,
            preprocessing=f"grey best{keypoints} contrast{CONTRAST:g} root thinnest{THINNEST}",
        )
        self.descriptor_length = DESCRIPTOR_LENGTH

    def detect(self, pictures: Sequence[Framed]) -> list[Keypoints]:
        """Return each picture's keypoints, one picture after the other."""
        return one_by_one(pictures, self._found, self._keypoints, self.descriptor_length)

    def _found(self, image: NDArray[np.uint8]) -> Keypoints:
        height, width = image.shape[:2]
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        points, described = self._sift.detectAndCompute(grey, None)
        if not points:
            return none_in(width, height, self.descriptor_length)
        total = np.abs(described).sum(axis=1, keepdims=True)
        return sound(
            np.array([point.pt for point in points], np.float32),
            np.array([point.response for point in points], np.float32),
            np.sqrt(described / np.maximum(total, 1)).astype(np.float32),
            width=width,
            height=height,
        )


def build_extractor(_: str, options: ExtractorOptions) -> SiftExtractor:
    """Return the extractor."""
    return SiftExtractor(options.keypoints)

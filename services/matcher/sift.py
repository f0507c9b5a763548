"""SIFT keypoints (Lowe 2004), OpenCV's: no weights, and the floor that networks must beat."""

from collections.abc import Sequence

import cv2
import numpy as np

from services.matcher.detector import THINNEST, Framed
from services.matcher.keypoints import Keypoints, none_in, sound
from shared.messages import ModelReference

NAME = "sift"
DESCRIPTOR_LENGTH = 128
# OpenCV's own. Sensor noise of 3 grey levels stays below it.
CONTRAST = 0.04


class SiftDetector:
    """SIFT with the root of its descriptors (Arandjelović & Zisserman 2012), compared by cosine."""

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
        return [self._found(picture) for picture in pictures]

    def _found(self, picture: Framed) -> Keypoints:
        height, width = picture.image.shape[:2]
        if picture.thin:
            return none_in(width, height, self.descriptor_length)
        grey = cv2.cvtColor(picture.image, cv2.COLOR_RGB2GRAY)
        on = None if picture.on is None else picture.on.astype(np.uint8) * 255
        points, described = self._sift.detectAndCompute(grey, on)
        if not points:
            return none_in(width, height, self.descriptor_length)
        total = np.abs(described).sum(axis=1, keepdims=True)
        every = sound(
            np.array([point.pt for point in points], np.float32),
            np.array([point.response for point in points], np.float32),
            np.sqrt(described / np.maximum(total, 1)).astype(np.float32),
            width=width,
            height=height,
        )
        return every.best(self._keypoints)

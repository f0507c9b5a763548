"""SuperPoint (DeTone et al. 2018, arXiv:1712.07629), and SuperGlue (Sarlin et al. 2020,
arXiv:1911.11763) in whose model it comes.

The original study used both. The published weights are Magic Leap's, for non-commercial research
only, so Resight neither contains nor downloads them: licensed users provide the folder and confirm
the terms.
"""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from shared.errors import SettingsError
from shared.keypoints.extractors.local_extractor import (
    THINNEST,
    ExtractorOptions,
    Framed,
    as_tensor,
    one_by_one,
)
from shared.keypoints.keypoints import Keypoints, sound
from shared.keypoints.torchvision_shim import import_beside_torchvision
from shared.messages import ModelReference

NAME = "superpoint"
STRIDE = 8
# As published.
LEAST_SCORE = 0.005


class SuperPair:
    """A folder with a SuperGlue model, its SuperPoint inside; `config.json` beside the weights.

    Raises:
        SettingsError: `transformers` is not installed, or the folder holds no such model.
    """

    def __init__(self, folder: Path, device: str = "cpu") -> None:
        try:
            transformers: Any = import_beside_torchvision("transformers")
        except ImportError as error:
            raise SettingsError(
                "RESIGHT_EXTRACTOR_KIND=superpoint-noncommercial needs transformers: install "
                "resight[superglue]"
            ) from error
        try:
            model = transformers.SuperGlueForKeypointMatching.from_pretrained(
                folder, local_files_only=True
            )
        except (OSError, ValueError) as error:
            raise SettingsError(
                f"RESIGHT_EXTRACTOR_WEIGHTS={folder} holds no SuperGlue model in transformers' "
                f"format: {error}"
            ) from error
        self.network = model.eval().requires_grad_(requires_grad=False).to(device)
        self.device = device
        self.version = _digest(folder)


class SuperPointExtractor:
    """SuperGlue's keypoints; see `shared.keypoints.extractors.local_extractor`."""

    together = 1

    def __init__(self, pair: SuperPair, keypoints: int) -> None:
        self._network = pair.network.keypoint_detector
        self._device = pair.device
        self._keypoints = keypoints
        self.descriptor_length = int(pair.network.config.hidden_size)
        self.model = ModelReference(
            name=NAME,
            version=pair.version,
            preprocessing=f"grey/255 best{keypoints} least{LEAST_SCORE:g} thinnest{THINNEST}",
        )

    def detect(self, pictures: Sequence[Framed]) -> list[Keypoints]:
        """Return each picture's keypoints, one picture after the other."""
        return one_by_one(pictures, self._found, self._keypoints, self.descriptor_length)

    def _found(self, image: NDArray[np.uint8]) -> Keypoints:
        height, width = image.shape[:2]
        # Incomplete cells of the network are cut off.
        rows, columns = (side // STRIDE * STRIDE for side in (height, width))
        grey = as_tensor(image[:rows, :columns]).mean(1, keepdim=True)
        with torch.inference_mode():
            found = self._network(grey.expand(-1, 3, -1, -1).to(self._device))
        return sound(
            found.keypoints[0].cpu().numpy() * np.array([columns, rows], np.float32),
            found.scores[0].cpu().numpy(),
            found.descriptors[0].cpu().numpy(),
            width=width,
            height=height,
            least_score=LEAST_SCORE,
        )


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


@lru_cache(maxsize=1)
def load_pair(folder: str, device: str) -> SuperPair:
    """Return both networks, loaded once.

    Raises:
        SettingsError: see `SuperPair`.
    """
    return SuperPair(Path(folder), device)


def build_extractor(_: str, options: ExtractorOptions) -> SuperPointExtractor:
    """Return the extractor.

    Raises:
        SettingsError: its weights are missing.
    """
    pair = load_pair(options.weights, options.device)
    return SuperPointExtractor(pair, options.keypoints)

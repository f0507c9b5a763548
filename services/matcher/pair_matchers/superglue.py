"""SuperPoint and SuperGlue (Sarlin et al. 2020, arXiv:1911.11763), an optional pair.

The original study used SuperGlue. Its published weights are Magic Leap's, for non-commercial
research only, so Resight neither contains nor downloads them: licensed users provide the folder and
confirm the terms.
"""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from services.matcher.extractors.local_extractor import (
    THINNEST,
    ExtractorOptions,
    Framed,
    as_tensor,
    one_by_one,
)
from services.matcher.keypoints import Keypoints, sound
from services.matcher.pair_matchers.lightglue import Correspondences
from services.matcher.torchvision_shim import import_beside_torchvision
from shared.errors import SettingsError
from shared.messages import ModelReference

NAME = "superpoint"
STRIDE = 8
# As published.
LEAST_SCORE = 0.005


class SuperPair:
    """A folder with a SuperGlue model, its SuperPoint inside; `config.json` beside the weights.

    Raises:
        SettingsError: the terms are not confirmed, `transformers` is not installed, or the folder
            holds no such model.
    """

    def __init__(self, folder: Path, *, allowed: bool, device: str = "cpu") -> None:
        if not allowed:
            raise SettingsError(
                "RESIGHT_MATCHER_EXTRACTOR=superpoint: the published weights of SuperPoint and "
                "SuperGlue are for non-commercial research only; to confirm that use, or if you "
                "have other weights, set RESIGHT_MATCHER_NONCOMMERCIAL=true"
            )
        try:
            transformers: Any = import_beside_torchvision("transformers")
        except ImportError as error:
            raise SettingsError(
                "RESIGHT_MATCHER_EXTRACTOR=superpoint needs transformers: install "
                "resight[superglue]"
            ) from error
        try:
            model = transformers.SuperGlueForKeypointMatching.from_pretrained(
                folder, local_files_only=True
            )
        except (OSError, ValueError) as error:
            raise SettingsError(
                f"RESIGHT_MATCHER_SUPERGLUE={folder} holds no SuperGlue model in transformers' "
                f"format: {error}"
            ) from error
        self.network = model.eval().requires_grad_(requires_grad=False).to(device)
        self.device = device
        self.version = _digest(folder)


class SuperPointExtractor:
    """SuperGlue's keypoints; see `services.matcher.extractors.local_extractor`."""

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


class SuperGlueMatcher:
    """SuperGlue, pair by pair; see `lightglue.PairMatcher`."""

    together = 1

    def __init__(self, pair: SuperPair, threshold: float) -> None:
        self._network = pair.network
        self._device = pair.device
        self._threshold = threshold
        self.model = ModelReference(
            name="superglue", version=pair.version, preprocessing=f"threshold{threshold:g}"
        )

    def match(self, query: Keypoints, candidates: Sequence[Keypoints]) -> list[Correspondences]:
        """Match a query with each candidate."""
        return [self._pair(query, candidate) for candidate in candidates]

    def _pair(self, query: Keypoints, candidate: Keypoints) -> Correspondences:
        both = (query, candidate)
        longest = max(len(each) for each in both)
        places = torch.zeros(1, 2, longest, 2)
        described = torch.zeros(1, 2, longest, query.descriptors.shape[1])
        scores, there = torch.zeros(1, 2, longest), torch.zeros(1, 2, longest, dtype=torch.bool)
        for side, each in enumerate(both):
            # The network assumes one size for both pictures: so scale each larger side to 1.
            places[0, side, : len(each)] = torch.from_numpy(each.centred() / 2 + 0.5)
            described[0, side, : len(each)] = torch.from_numpy(each.unit())
            scores[0, side, : len(each)] = torch.from_numpy(each.scores)
            there[0, side, : len(each)] = True
        tensors = (each.to(self._device) for each in (places, described, scores))
        with torch.inference_mode():
            partners, confidences, *_ = self._network._match_image_pair(  # noqa: SLF001 - as forward
                *tensors, height=1, width=1, mask=there.to(self._device)
            )
        partner = partners[0, 0, : len(query)].cpu().numpy().astype(np.int64)
        confidence = confidences[0, 0, : len(query)].cpu().numpy()
        mine = np.flatnonzero((partner >= 0) & (partner < len(candidate)))
        mine = mine[confidence[mine] > self._threshold]
        return Correspondences(
            np.stack([mine, partner[mine]], axis=1), confidence[mine].astype(np.float32)
        )


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


@lru_cache(maxsize=1)
def load_pair(folder: str, allowed: bool, device: str) -> SuperPair:
    """Return both networks, loaded once.

    Raises:
        SettingsError: see `SuperPair`.
    """
    return SuperPair(Path(folder), allowed=allowed, device=device)


def build_extractor(_: str, options: ExtractorOptions) -> SuperPointExtractor:
    """Return the extractor.

    Raises:
        SettingsError: its weights are missing, or their terms not confirmed.
    """
    pair = load_pair(options.weights, options.noncommercial, options.device)
    return SuperPointExtractor(pair, options.keypoints)

"""SuperGlue (Sarlin et al. 2020, arXiv:1911.11763), for users who have its weights.

See `shared.keypoints.extractors.superpoint`, the extractor that belongs to it.
"""

from collections.abc import Sequence

import numpy as np
import torch

from services.matcher.pair_matchers.lightglue import Correspondences
from shared.keypoints.extractors.superpoint import SuperPair
from shared.keypoints.keypoints import Keypoints
from shared.messages import ModelReference


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

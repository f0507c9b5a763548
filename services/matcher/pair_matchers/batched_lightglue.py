"""LightGlue for many candidates at once, on a GPU: padded to one length, and masked.

Batching, masks and assignment are implemented here, since padding must be excluded from attention
and from the softmax over matches.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from services.matcher.pair_matchers.batched_layers import Trunk
from services.matcher.pair_matchers.lightglue import Correspondences, Variant, load
from shared.keypoints.keypoints import Keypoints
from shared.messages import ModelReference

# Lengths are rounded up to this, so that a GPU sees few shapes.
STEP = 64
# Pairs per batch: a GPU is full by then, and 1024 keypoints take about 5 MB per pair.
BATCH = 64
# Batch sizes that kernels are compiled for: the candidates of the policy `doubt`, and all.
SIZES = (16, BATCH)


@dataclass(frozen=True)
class Pairs:
    """Keypoints of B pairs, padded to K: first the query B times, then the candidates.

    places: float [2 B, K, 2], relative to the picture's centre, in halves of the larger side
    descriptors: float [2 B, K, D]
    there: bool [2 B, K], not padding; None: no padding
    """

    places: Tensor
    descriptors: Tensor
    there: Tensor | None


class BatchedLightGlue:
    """The first `layers` layers of LightGlue for one extractor, in batches on a device.

    `half`: half precision for attention and layers; matches differ slightly, so it is a model of
        its own. In full precision they equal those of kornia's network.

    `compiled`: the maximum number of keypoints per picture; then every batch has that length and
        one of `SIZES`, each compiled at first use in about 15 seconds. 0: not compiled.

    Raises:
        ValueError: more layers than were trained.
    """

    def __init__(
        self,
        variant: Variant,
        layers: int,
        threshold: float,
        *,
        device: str,
        half: bool = False,
        batch: int = BATCH,
        compiled: int = 0,
    ) -> None:
        trained = load(variant, layers, threshold)
        self._type = torch.float16 if half else torch.float32
        self._device = torch.device(device)
        network = trained.network.to(self._device, self._type)
        self._trunk = Trunk.of(network, layers, variant.num_heads)
        heads: Any = network.log_assignment  # torch types lists of modules as Module
        self._head = heads[layers - 1]
        self._length = STEP * -(-compiled // STEP)
        self._run = torch.compile(self.assigned, dynamic=False) if compiled else self.assigned
        self._threshold = threshold
        self.together = batch
        reference = ModelReference()
        reference.CopyFrom(trained.model)
        if half:
            reference.preprocessing += "-half"
        self.model = reference

    def match(self, query: Keypoints, candidates: Sequence[Keypoints]) -> list[Correspondences]:
        """Match a query with each candidate, in batches."""
        found: list[Correspondences] = []
        for start in range(0, len(candidates), self.together):
            found += self._matched(query, candidates[start : start + self.together])
        return found

    def _matched(self, query: Keypoints, candidates: Sequence[Keypoints]) -> list[Correspondences]:
        with torch.inference_mode():
            partner, scores = self._run(self.padded(query, candidates))
            # One copy for all: each copy would wait for the device.
            told = torch.stack([partner.float(), scores]).cpu().numpy()
        indices, confidence = told[0].astype(np.int64), told[1]
        return [
            _correspondences(indices[number, : len(query)], confidence[number, : len(query)])
            for number in range(len(candidates))
        ]

    def assigned(self, pairs: Pairs) -> tuple[Tensor, Tensor]:
        """Return for each of the query's keypoints its match or -1, and its score: [B, K] each.

        As `kornia.feature.lightglue.filter_matches`, without padding.
        """
        tokens = self._trunk(pairs.places, pairs.descriptors, pairs.there)
        one, other = (self._head.final_proj(tokens) / tokens.shape[-1] ** 0.25).chunk(2)
        alike = (one @ other.transpose(1, 2)).float()
        sure = functional.logsigmoid(self._head.matchability(tokens).float())
        sure_one, sure_other = sure.chunk(2)
        both = None
        if pairs.there is not None:
            there_one, there_other = pairs.there.chunk(2)
            both = there_one[:, :, None] & there_other[:, None]
            alike = alike.masked_fill(~both, -torch.inf)
        scores = functional.log_softmax(alike, 2) + functional.log_softmax(alike, 1)
        scores = scores + sure_one + sure_other.transpose(1, 2)
        if both is not None:
            scores = scores.masked_fill(~both, -torch.inf)  # rows of padding alone give NaN
        best, partner = scores.max(2)
        back = scores.argmax(1)
        own = torch.arange(partner.shape[1], device=partner.device)[None]
        confidence = best.exp()
        taken = (back.gather(1, partner) == own) & (confidence > self._threshold)
        return torch.where(taken, partner, -1), confidence

    def padded(self, query: Keypoints, candidates: Sequence[Keypoints]) -> Pairs:
        """Return pairs padded to one length, on the device."""
        pictures = [query, *candidates]
        longest = max(len(each) for each in pictures)
        length = max(self._length, STEP * -(-longest // STEP))
        if self._length:
            pairs = next((each for each in SIZES if each >= len(candidates)), len(candidates))
            pictures += pictures[1:2] * (pairs - len(candidates))
        width = query.descriptors.shape[1]
        places = np.zeros((len(pictures), length, 2), np.float32)
        descriptors = np.zeros((len(pictures), length, width), np.int8)
        counts = np.array([len(each) for each in pictures])
        for number, each in enumerate(pictures):
            places[number, : len(each)] = each.centred()
            descriptors[number, : len(each)] = each.descriptors
        full = bool((counts == length).all()) and not self._length
        there = np.arange(length) < counts[:, None]
        # Transferred in 8 bits, and normalised on the device.
        wide = torch.from_numpy(descriptors).to(self._device).float()
        return Pairs(
            self._paired(torch.from_numpy(places).to(self._device, self._type)),
            self._paired(functional.normalize(wide, dim=-1).to(self._type)),
            None if full else self._paired(torch.from_numpy(there).to(self._device)),
        )

    @staticmethod
    def _paired(pictures: Tensor) -> Tensor:
        query, candidates = pictures[:1], pictures[1:]
        return torch.cat([query.expand_as(candidates), candidates])


def _correspondences(
    partner: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
    confidence: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
) -> Correspondences:
    mine = np.flatnonzero(partner >= 0)
    return Correspondences(np.stack([mine, partner[mine]], axis=1), confidence[mine])

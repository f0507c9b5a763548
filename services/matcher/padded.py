"""LightGlue over many candidates at once, on a GPU: padded to one length, and masked.

The network's parts are kornia's; the batch, the masks and the assignment are ours, since padding
must neither be attended to nor take part in the softmax over the matches.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from services.matcher.keypoints import Keypoints
from services.matcher.lightglue import Correspondences, Variant, load
from shared.messages import ModelReference

# Lengths are rounded up to this, so that a GPU sees few shapes.
STEP = 64
# Pairs at once: 256 keypoints take some 60 MB of a pair's attention at the most.
BATCH = 32


@dataclass(frozen=True)
class _Batch:
    """Keypoints of B pictures, padded to K.

    places: float [B, K, 2], of the larger side's half from the picture's middle
    descriptors: float [B, K, D]
    there: bool [B, K], which of them are no padding
    """

    places: Tensor
    descriptors: Tensor
    there: Tensor


class PaddedLightGlue:
    """The first `layers` layers of LightGlue for one extractor, in batches on a device.

    `half`: attention and layers in half precision; the matches that it gives differ a little, so
    it is a model of its own. In full precision it gives those of `LightGlueMatcher`.

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
    ) -> None:
        trained = load(variant, layers, threshold, flash=half)
        self._type = torch.float16 if half else torch.float32
        self._device = torch.device(device)
        self._network = trained.network.to(self._device, self._type)
        self._layers = layers
        self._threshold = threshold
        self._batch = batch
        reference = ModelReference()
        reference.CopyFrom(trained.model)
        if half:
            reference.preprocessing += "-half"
        self.model = reference

    def match(self, query: Keypoints, candidates: Sequence[Keypoints]) -> list[Correspondences]:
        """Match a query with each candidate, several at a time."""
        found: list[Correspondences] = []
        for start in range(0, len(candidates), self._batch):
            found += self._matched(query, candidates[start : start + self._batch])
        return found

    def _matched(self, query: Keypoints, candidates: Sequence[Keypoints]) -> list[Correspondences]:
        with torch.inference_mode():
            mine, theirs = self._padded([query]), self._padded(candidates)
            partner, scores = self._assigned(mine, theirs)
        indices, confidence = partner.cpu().numpy(), scores.float().cpu().numpy()
        return [
            _correspondences(indices[number, : len(query)], confidence[number, : len(query)])
            for number in range(len(candidates))
        ]

    def _assigned(self, mine: _Batch, theirs: _Batch) -> tuple[Tensor, Tensor]:
        """Return for each of the query's keypoints its match or -1, and its score: [B, K] each."""
        count = len(theirs.there)
        network = self._network
        one = network.input_proj(mine.descriptors)
        other = network.input_proj(theirs.descriptors)
        turned_one, turned_other = network.posenc(mine.places), network.posenc(theirs.places)
        # The query is one picture, and looks at each candidate for itself.
        one = one.expand(count, -1, -1)
        turned_one = turned_one.expand(-1, count, -1, -1, -1)
        there_one = mine.there.expand(count, -1)
        mask_one, mask_other = there_one[:, None, :, None], theirs.there[:, None, :, None]
        for layer in network.transformers[: self._layers]:
            one, other = layer(one, other, turned_one, turned_other, mask_one, mask_other)
        return self._assignment(one, other, there_one, theirs.there)

    def _assignment(
        self, one: Tensor, other: Tensor, there_one: Tensor, there_other: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return matches as `kornia.feature.lightglue.filter_matches` does, without the padding."""
        head: Any = self._network.log_assignment[self._layers - 1]  # torch's lists are of Module
        scale = one.shape[-1] ** 0.25
        alike = torch.einsum(
            "bmd,bnd->bmn", head.final_proj(one) / scale, head.final_proj(other) / scale
        ).float()
        both = there_one[:, :, None] & there_other[:, None, :]
        alike = alike.masked_fill(~both, -torch.inf)
        sure_one, sure_other = (
            functional.logsigmoid(head.matchability(each).float()) for each in (one, other)
        )
        scores = functional.log_softmax(alike, 2) + functional.log_softmax(alike, 1)
        scores = scores + sure_one + sure_other.transpose(1, 2)
        scores = scores.masked_fill(~both, -torch.inf)  # a row of padding alone is not a number
        best, partner = scores.max(2)
        back = scores.argmax(1)
        own = torch.arange(partner.shape[1], device=partner.device)[None]
        confidence = best.exp()
        taken = (back.gather(1, partner) == own) & (confidence > self._threshold) & there_one
        return torch.where(taken, partner, -1), confidence

    def _padded(self, pictures: Sequence[Keypoints]) -> _Batch:
        longest = max(len(each) for each in pictures)
        length = STEP * -(-longest // STEP)
        width = pictures[0].descriptors.shape[1]
        places = np.zeros((len(pictures), length, 2), np.float32)
        descriptors = np.zeros((len(pictures), length, width), np.float32)
        there = np.zeros((len(pictures), length), np.bool_)
        for number, each in enumerate(pictures):
            size = np.array([each.width, each.height], np.float32)
            places[number, : len(each)] = (each.positions - size / 2) / (size.max() / 2)
            descriptors[number, : len(each)] = each.unit()
            there[number, : len(each)] = True
        return _Batch(
            torch.from_numpy(places).to(self._device, self._type),
            torch.from_numpy(descriptors).to(self._device, self._type),
            torch.from_numpy(there).to(self._device),
        )


def _correspondences(
    partner: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
    confidence: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
) -> Correspondences:
    mine = np.flatnonzero(partner >= 0)
    return Correspondences(np.stack([mine, partner[mine]], axis=1), confidence[mine])

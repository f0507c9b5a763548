"""Losses that bring embeddings of one coat together, and separate different coats.

| name      | what it is                                                                   |
|-----------|------------------------------------------------------------------------------|
| softmax   | cross-entropy over cosines with one proxy per label (Zhai & Wu 2019)         |
| arcface   | the same with an angular margin (Deng et al. 2019)                           |
| subcenter | ArcFace with three proxies per label, for labels that are wrong or diverse   |
|           | (Deng et al. 2020)                                                           |
| triplet   | per picture its farthest positive and nearest negative, with a margin        |
|           | (Hermans et al. 2017)                                                        |

All from pytorch-metric-learning.
"""

from collections.abc import Callable, Mapping
from typing import cast

import torch
from pytorch_metric_learning import losses, miners
from torch import Tensor, nn

from shared.embeddings import DIMENSION

# ArcFace's margin is an angle in degrees, half a radian; its scale suits thousands of labels.
_MARGIN_DEGREES = 28.6
_SCALE = 64.0
_TRIPLET_MARGIN = 0.2

# Pictures of one label per batch: triplets need some, proxies none.
TOGETHER = {"softmax": 1, "arcface": 1, "subcenter": 1, "triplet": 4}


class _Mined(nn.Module):
    """Triplet loss on the hardest triplets of a batch."""

    def __init__(self) -> None:
        super().__init__()
        self.miner = miners.BatchHardMiner()
        self.loss = losses.TripletMarginLoss(margin=_TRIPLET_MARGIN)

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        return cast(Tensor, self.loss(embeddings, labels, self.miner(embeddings, labels)))


_LOSSES: Mapping[str, Callable[[int], nn.Module]] = {
    "softmax": lambda classes: losses.NormalizedSoftmaxLoss(classes, DIMENSION),
    "arcface": lambda classes: losses.ArcFaceLoss(
        num_classes=classes, embedding_size=DIMENSION, margin=_MARGIN_DEGREES, scale=_SCALE
    ),
    "subcenter": lambda classes: losses.SubCenterArcFaceLoss(
        num_classes=classes,
        embedding_size=DIMENSION,
        margin=_MARGIN_DEGREES,
        scale=_SCALE,
        sub_centers=3,
    ),
    "triplet": lambda _: _Mined(),
}


def build(name: str, classes: int) -> nn.Module:
    """Return a loss of embeddings float32 [B, 512] and labels int64 [B] below `classes`.

    Its proxies, if any, are parameters that the caller trains.
    """
    loss = _LOSSES[name](classes)
    with torch.no_grad():
        # Only directions count. Adam's step size does not depend on length, so proxies of unit
        # length turn as fast as the heads do; with the package's initialisation, 20 times slower.
        for proxies in loss.parameters():
            proxies.copy_(nn.functional.normalize(proxies, dim=0))
    return loss

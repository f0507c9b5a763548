"""Interface of the embedding model, wherever it runs."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from shared.embeddings import DIMENSION
from shared.images.rgb import Pixels
from shared.messages import (
    VIEWPOINT_BACK,
    VIEWPOINT_FRONT,
    VIEWPOINT_LEFT,
    VIEWPOINT_RIGHT,
    VIEWPOINT_TOP,
    VIEWPOINT_UNSPECIFIED,
    ModelReference,
    Viewpoint,
)

# Contract of model files: names of input, outputs and metadata.
INPUT = "image"  # uint8 [B, H, W, 3], RGB
EMBEDDING = "embedding"  # float32 [B, 512], L2-normalised
VIEWPOINT = "viewpoint"  # optional: float32 [B, 6], one score per viewpoint of VIEWPOINTS
NAME, VERSION, PREPROCESSING, INPUT_SIZE = (
    "resight.name",
    "resight.version",
    "resight.preprocessing",
    "resight.input_size",
)

VIEWPOINTS = (
    VIEWPOINT_UNSPECIFIED,
    VIEWPOINT_LEFT,
    VIEWPOINT_RIGHT,
    VIEWPOINT_FRONT,
    VIEWPOINT_BACK,
    VIEWPOINT_TOP,
)


@dataclass(frozen=True)
class Encoding:
    """A model's output for a batch of B crops."""

    embeddings: NDArray[np.float32]  # [B, 512], L2-normalised
    viewpoints: tuple[Viewpoint, ...] | None  # None: the model has no viewpoint output


class Encoder(Protocol):
    """Turns prepared crops into embeddings.

    `encode` takes uint8 [B, input_size, input_size, 3], 1 ≤ B ≤ max_batch, and raises Transient
    when the model's server does not respond. `ready`: whether it would respond now.
    """

    @property
    def model(self) -> ModelReference: ...

    @property
    def input_size(self) -> int: ...

    def encode(self, batch: Pixels) -> Encoding: ...

    def ready(self) -> bool: ...


def read_outputs(
    batch: int, embeddings: NDArray[np.float32], viewpoints: NDArray[np.float32] | None
) -> Encoding:
    """Return a model's raw outputs as an Encoding.

    Raises:
        RuntimeError: the model broke its contract; none of its vectors may be stored.
    """
    if embeddings.shape != (batch, DIMENSION):
        raise RuntimeError(
            f"the model returned embeddings of shape {embeddings.shape} for {batch} crops; "
            f"expected ({batch}, {DIMENSION})"
        )
    lengths = np.linalg.norm(embeddings, axis=1)
    if not np.allclose(lengths, 1.0, atol=1e-3):  # also true for NaN
        raise RuntimeError(
            f"the model returned embeddings of lengths {lengths.min()} to {lengths.max()}, not 1"
        )
    if viewpoints is None:
        return Encoding(embeddings, None)
    if viewpoints.shape != (batch, len(VIEWPOINTS)):
        raise RuntimeError(
            f"the model returned viewpoints of shape {viewpoints.shape} for {batch} crops; "
            f"expected ({batch}, {len(VIEWPOINTS)})"
        )
    return Encoding(embeddings, tuple(VIEWPOINTS[best] for best in viewpoints.argmax(axis=1)))

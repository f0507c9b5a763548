"""Embeddings on the wire: float32, little endian, with the model that made them."""

import numpy as np
from numpy.typing import NDArray

from shared.errors import Poison
from shared.messages import Embedding, ModelReference

DIMENSION = 512


def pack(vector: NDArray[np.float32], model: ModelReference) -> Embedding:
    """Return the message of one embedding, shape [512]."""
    if vector.shape != (DIMENSION,):
        raise ValueError(f"an embedding has shape ({DIMENSION},), not {vector.shape}")
    return Embedding(model=model, values=vector.astype("<f4").tobytes())


def unpack(embedding: Embedding) -> NDArray[np.float32]:
    """Return the vector of a message, float32 [512].

    Raises:
        Poison: wrong length, or not finite.
    """
    if len(embedding.values) != DIMENSION * 4:
        raise Poison(
            f"the embedding has {len(embedding.values)} bytes instead of {DIMENSION * 4}",
            kind="bad-embedding",
        )
    vector = np.frombuffer(embedding.values, dtype="<f4").astype(np.float32)
    if not np.isfinite(vector).all():
        raise Poison("the embedding holds values that are not finite", kind="bad-embedding")
    return vector


def model_name(model: ModelReference) -> str:
    """Return `name-version-preprocessing`, valid as a collection or key name."""
    return f"{model.name}-{model.version}-{model.preprocessing}"

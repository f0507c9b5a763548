"""Near-duplicates: pictures so similar that one reveals the other's identity."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

# For 100,000 embeddings, this many rows of similarities take 400 MB.
_ROWS = 1024


def near_duplicates(embeddings: NDArray[np.float32], threshold: float) -> NDArray[np.int32]:
    """Return for each of N embeddings the number of its group, int32 [N].

    `embeddings` [N, D] are L2-normalised. Two whose cosine is at least `threshold` are in one
    group, and so are all connected by a chain of such pairs (single linkage).

    Raises:
        ValueError: `embeddings` are not unit vectors [N, D].
    """
    if embeddings.ndim != 2 or not np.allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-3):
        raise ValueError(
            f"embeddings {embeddings.shape} are not [N, D] unit vectors; divide each by its length"
        )
    count = len(embeddings)
    pairs = [_alike(embeddings, start, threshold) for start in range(0, count, _ROWS)]
    one, other = np.concatenate([np.empty((2, 0), np.intp), *pairs], axis=1)
    graph = coo_array((np.ones(len(one), dtype=np.bool_), (one, other)), shape=(count, count))
    _, groups = connected_components(graph, directed=False)
    return np.asarray(groups, dtype=np.int32)


def _alike(embeddings: NDArray[np.float32], start: int, threshold: float) -> NDArray[np.intp]:
    """Return the pairs [2, P] of the rows from `start` on with whatever comes after them."""
    rows = embeddings[start : start + _ROWS]
    one, other = np.nonzero(np.triu(rows @ embeddings[start:].T >= threshold, k=1))
    return np.stack([one, other]) + start

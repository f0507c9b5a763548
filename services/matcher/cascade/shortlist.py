"""Selects candidates to compare, by embedding and by their keypoints' votes.

Re-ranking can't recover what the shortlist lost. For a small gallery lookup sends all sightings,
and a few keypoints of each are enough to select likely candidates.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Reciprocal rank fusion (Cormack et al. 2009): its smoothing constant.
EVEN = 30
FINGERPRINT = f"even{EVEN}"


def shortlist(cosines: Sequence[float], worth: Sequence[float], most: int) -> list[int]:
    """Return the candidates to compare, in order: `most`, or all if fewer.

    cosines: of the embeddings
    worth: of the candidates' matches, see `voting`; 0 for those whose crop can't be read
    """
    if len(cosines) <= most:
        return list(range(len(cosines)))
    fused = 1 / (EVEN + _places(np.asarray(cosines))) + 1 / (EVEN + _places(np.asarray(worth)))
    return sorted(np.argsort(-fused, kind="stable")[:most].tolist())


def _places(scores: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the rank of each score, 0 for the highest; ties share the last rank."""
    return np.searchsorted(np.sort(-scores), -scores, side="right") - 1

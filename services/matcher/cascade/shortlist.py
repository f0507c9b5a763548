"""Selects candidates to compare, by embedding and by their keypoints' votes.

Re-ranking can't recover what the shortlist lost. For a small gallery lookup sends all sightings,
and a few keypoints of each are enough to select likely candidates.
"""

from collections.abc import Sequence

import numpy as np

from shared.votes import EVEN, fused_ranks

FINGERPRINT = f"even{EVEN}"


def shortlist(cosines: Sequence[float], worth: Sequence[float], most: int) -> list[int]:
    """Return the candidates to compare, in order: `most`, or all if fewer.

    cosines: of the embeddings
    worth: of the candidates' matches, see `voting`; 0 for those whose crop can't be read
    """
    if len(cosines) <= most:
        return list(range(len(cosines)))
    ranks = fused_ranks(cosines, worth)
    return sorted(np.argsort(-ranks, kind="stable")[:most].tolist())

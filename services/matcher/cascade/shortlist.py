"""Whom the cascade compares: those near by embedding, and those near by local features.

Re-ranking can't find what the shortlist lost. Of a small gallery lookup sends everybody, and the
few best keypoints of each are enough to see who may be alike: on nyalas the right one was among the
best 20 of 1,508 for 60 % of the queries, by the embedding alone for 41 %.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.matcher.keypoints import Keypoints
from services.matcher.pair_matchers.neighbours import mutual_neighbours

# Keypoints of a picture that are looked at, best first: 0.1 ms a pair on a core.
COARSE = 64
# Reciprocal rank fusion (Cormack et al. 2009): how little the first places differ.
EVEN = 30
FINGERPRINT = f"coarse{COARSE}-even{EVEN}"


def shortlist(
    query: Keypoints,
    candidates: Sequence[Keypoints | None],
    cosines: Sequence[float],
    floor: float,
    most: int,
) -> list[int]:
    """Return which candidates are compared, in their order: `most`, or all where there are less.

    cosines: of the embeddings
    candidates: None for one whose crop can't be read: the embedding alone speaks for it
    """
    if len(candidates) <= most:
        return list(range(len(candidates)))
    coarse = [each and _coarse(each) for each in candidates]
    mine, scores = _coarse(query), np.zeros(len(candidates))
    seen = [i for i, each in enumerate(coarse) if each is not None and len(each)]
    if len(mine):
        found = mutual_neighbours(mine, [each for i in seen if (each := coarse[i])], floor)
        scores[seen] = [each.score for each in found]
    fused = 1 / (EVEN + _places(np.asarray(cosines))) + 1 / (EVEN + _places(scores))
    return sorted(np.argsort(-fused, kind="stable")[:most].tolist())


def _coarse(keypoints: Keypoints) -> Keypoints:
    counting = keypoints.foreground()
    return counting.where(np.arange(len(counting)) < COARSE)


def _places(scores: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the place of each score, 0 for the highest; equals share the last of theirs."""
    return np.searchsorted(np.sort(-scores), -scores, side="right") - 1

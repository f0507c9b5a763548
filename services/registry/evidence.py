"""Evidence → features: the numbers that a calibration curve weighs."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shared.errors import Poison
from shared.messages import DEPTH_LIGHTGLUE, DEPTH_NEIGHBOURS, Evidence

# In the order of a curve's coefficients. Counts and sums over matches are long-tailed,
# so their logarithm counts. A stage that was not reached leaves zeros; `compared` and
# `matched` tell that apart from a stage that found nothing.
FEATURES = (
    "cosine",
    "log_neighbours",
    "log_neighbour_score",
    "log_matches",
    "log_confidence",
    "log_inliers",
    "compared",
    "matched",
)


def features(evidence: Sequence[Evidence]) -> NDArray[np.float64]:
    """Return one row of features for each piece of evidence, float64 [N, 8].

    Raises:
        Poison: a value is not finite, or a score is negative.
    """
    raw = np.array(
        [
            (
                item.candidate.cosine,
                item.neighbours,
                item.neighbour_score,
                item.matches,
                item.confidence,
                item.inliers,
                item.depth in (DEPTH_NEIGHBOURS, DEPTH_LIGHTGLUE),
                item.depth == DEPTH_LIGHTGLUE,
            )
            for item in evidence
        ],
        dtype=np.float64,
    ).reshape(-1, len(FEATURES))
    sound = np.isfinite(raw).all(axis=1) & (raw[:, 1:] >= 0).all(axis=1)
    if not sound.all():
        first = evidence[int(np.flatnonzero(~sound)[0])].candidate.sighting_id
        raise Poison(
            f"the evidence for candidate {first} holds a number that is negative or not finite; "
            "the matcher that sent it is broken",
            kind="bad-evidence",
        )
    raw[:, 1:6] = np.log1p(raw[:, 1:6])
    return raw

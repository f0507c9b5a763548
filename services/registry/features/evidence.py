"""Features: the numbers that a calibration curve weighs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from shared.errors import Poison
from shared.messages import DEPTH_LIGHTGLUE, DEPTH_NEIGHBOURS, Evidence
from shared.robust import center_and_spread

# In the order of a curve's coefficients. Counts and sums over matches are long-tailed, so
# logarithms are used. Stages that were not reached leave zeros; `compared` and `matched`
# distinguish them from stages that found nothing.
ABSOLUTE = (
    "cosine",
    "log_neighbours",
    "log_neighbour_score",
    "log_matches",
    "log_confidence",
    "log_inliers",
    "log_distinctiveness",
)
# Nearly all candidates of a query are other animals, so they show how different animals score for
# this species, light and place: how far a candidate stands out of them is comparable between
# species, unlike its scores (T-norm, Auckenthaler 2000, speaker verification).
RELATIVE = ("relative_cosine", "relative_neighbours", "relative_neighbour_score")
SCORES = (*ABSOLUTE, *RELATIVE)
FEATURES = (*SCORES, "compared", "matched")

# Evidence that a known call needs in itself, however far it stands out of its list.
ESSENTIAL = ("log_neighbour_score", "log_distinctiveness")

# Lower bound of a list's spread.
LEAST_SPREADS = (0.02, 0.15, 0.15)
# Deviations are clipped here.
LOWEST, HIGHEST = -3.0, 8.0
# Distinctiveness is enlarged so that its logarithm tells small values apart: different animals
# have less than .02, one animal's alike pictures 1 and more.
ENLARGED = 20.0
# With this many candidates a deviation counts half.
HALVED_AT = 10


@dataclass(frozen=True)
class ScoreStatistics:
    """Score statistics of a query's list.

    Median [3] and spread [3] of its first three scores, and the `share` of a deviation that counts
    for a list of its length.
    """

    median: NDArray[np.float64]
    spread: NDArray[np.float64]
    share: float

    @classmethod
    def of(cls, scores: NDArray[np.float64]) -> Self:
        """Return the statistics of a list's scores [N, ≥ 3]; for an empty one nothing counts."""
        count = len(RELATIVE)
        if not len(scores):
            return cls(np.zeros(count), np.ones(count), 0.0)
        columns = scores[:, :count]
        median, spread = center_and_spread(columns, LEAST_SPREADS)
        return cls(median, spread, len(scores) / (len(scores) + HALVED_AT))

    def deviations(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the normalised deviations of the first three of scores [N, ≥ 3], [N, 3]."""
        away = (scores[:, : len(RELATIVE)] - self.median) / self.spread
        return np.asarray(np.clip(away, LOWEST, HIGHEST) * self.share)


def features(evidence: Sequence[Evidence]) -> NDArray[np.float64]:
    """Return one row of features for each piece of a query's evidence, float64 [N, 12].

    Pass all evidence of the query, because candidates are normalised against each other.

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
                ENLARGED * item.distinctiveness,
                item.depth in (DEPTH_NEIGHBOURS, DEPTH_LIGHTGLUE),
                item.depth == DEPTH_LIGHTGLUE,
            )
            for item in evidence
        ],
        dtype=np.float64,
    ).reshape(-1, len(ABSOLUTE) + 2)
    sound = np.isfinite(raw).all(axis=1) & (raw[:, 1:] >= 0).all(axis=1)
    if not sound.all():
        first = evidence[int(np.flatnonzero(~sound)[0])].candidate.sighting_id
        raise Poison(
            f"the evidence for candidate {first} holds a negative or non-finite number; the "
            "matcher that sent it is faulty",
            kind="bad-evidence",
        )
    raw[:, 1 : len(ABSOLUTE)] = np.log1p(raw[:, 1 : len(ABSOLUTE)])
    scores, tried = np.split(raw, [len(ABSOLUTE)], axis=1)
    return np.hstack([scores, ScoreStatistics.of(scores).deviations(scores), tried])


def essentials(item: Evidence) -> tuple[float, ...]:
    """Return the features of one piece of evidence that a known call needs, as in `ESSENTIAL`."""
    [row] = features([item])
    return tuple(float(row[FEATURES.index(name)]) for name in ESSENTIAL)

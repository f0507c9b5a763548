"""Clusters sightings: agglomeration by a learned linkage.

The most certain pair of clusters is joined first, until none is certain enough. Certainty uses
*all* compared pairs between two clusters, so no single bridge joins two animals. It is learned,
starting from average linkage, whose cut does not transfer between species. In the spirit of Culotta
et al., Author Disambiguation Using Error-driven Machine Learning with a Ranking Loss Function,
2007, where a cluster-wise score is trained on the merges that clustering itself makes.
"""

import math
from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from services.registry.calibration.models import CalibrationModel, Linear

LINKS = (
    "mean",
    "best",
    "mean_of_best_three",
    "log_compared",
    "log_smaller",
    "log_larger",
    "coverage",
    "share_above_even",
)
BEST = 3
# A gallery is young up to this many sightings, and grown from this many on.
YOUNG, GROWN = 80, 320


class ClusterMerge(NamedTuple):
    """Two clusters, each named by the position of one of its sightings, joined at `score`."""

    score: float
    kept: int
    gone: int


def settled(
    regroup: Callable[[NDArray[np.int64]], "Clusters"], groups: Sequence[Hashable], rounds: int
) -> "Clusters":
    """Cluster again from each grouping until nothing changes, at most so often.

    What a match is worth depends on who is one animal. `groups` names the individual of each
    sighting to begin with.
    """
    names = _in_order(groups)
    for _ in range(rounds):
        clusters = regroup(names)
        before, names = names, _in_order(clusters.labels().tolist())
        if (names == before).all():
            break
    return clusters


def _in_order(names: Sequence[Hashable]) -> NDArray[np.int64]:
    """Return names as numbers, from 0 in the order in which they come."""
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int64)


class Linkage(CalibrationModel):
    """Log-odds that two clusters are one animal, and the threshold for joining them.

    Few sightings show less of what different animals look like, so a young gallery has a higher
    threshold: `join_young`. Without it both are the same.
    """

    weights: Linear
    join: float
    join_young: float | None = None

    def at(self, enrolled: int) -> "Linkage":
        """Return the linkage for a gallery with this many sightings."""
        if self.join_young is None:
            return self
        grown = math.log(max(enrolled, 1) / YOUNG) / math.log(GROWN / YOUNG)
        join = self.join_young + min(max(grown, 0.0), 1.0) * (self.join - self.join_young)
        return Linkage(weights=self.weights, join=join)

    @model_validator(mode="after")
    def _width(self) -> Self:
        self.weights.of_width(len(LINKS))
        return self


class Clusters:
    """Clusters of sightings while being joined.

    `log_odds` [N, N], NaN for pairs not compared; `apart` [N, N] is true for sightings known to
    show different animals; sightings with equal numbers in `together` are never separated.
    """

    def __init__(
        self,
        log_odds: NDArray[np.float64],
        apart: NDArray[np.bool_] | None = None,
        together: Sequence[int] | None = None,
    ) -> None:
        count = len(log_odds)
        self.log_odds = log_odds
        compared = ~np.isnan(log_odds)
        np.fill_diagonal(compared, val=False)
        values = np.where(compared, log_odds, 0.0)
        self.members: list[list[int]] = [[index] for index in range(count)]
        self.apart = np.zeros((count, count), dtype=np.bool_) if apart is None else apart.copy()
        self._pairs = compared.astype(np.float64)
        self._sum = values
        self._even = (values > 0).astype(np.float64)
        self._best = np.full((count, count, BEST), -np.inf)
        self._best[..., 0] = np.where(compared, log_odds, -np.inf)
        self._size = np.ones(count)
        first: dict[int, int] = {}
        for index, group in enumerate(together or []):
            if first.setdefault(group, index) != index:
                self.join(first[group], index)

    def compared(self, cluster: int) -> NDArray[np.int64]:
        """Return the clusters that one may be joined with: compared, and not apart."""
        return np.flatnonzero((self._pairs[cluster] > 0) & ~self.apart[cluster])

    def links(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the inputs for each pair of clusters, [P, 8] in the order of `LINKS`."""
        pairs = self._pairs[left, right]
        best = self._best[left, right]
        counted = np.minimum(pairs, BEST)
        sizes = np.sort(np.stack([self._size[left], self._size[right]]), axis=0)
        return np.stack(
            [
                self._sum[left, right] / pairs,
                best[:, 0],
                np.where(np.isfinite(best), best, 0.0).sum(axis=1) / counted,
                np.log(pairs),
                np.log(sizes[0]),
                np.log(sizes[1]),
                pairs / (sizes[0] * sizes[1]),
                self._even[left, right] / pairs,
            ],
            axis=1,
        )

    def join(self, kept: int, gone: int) -> None:
        """Join two clusters under the name `kept`."""
        for table in (self._pairs, self._sum, self._even, self.apart):
            table[kept] += table[gone]
            table[:, kept] = table[kept]
            table[gone] = table[:, gone] = 0
            table[kept, kept] = 0
        both = np.concatenate([self._best[kept], self._best[gone]], axis=1)
        self._best[kept] = np.sort(both, axis=1)[:, ::-1][:, :BEST]
        self._best[:, kept] = self._best[kept]
        self._best[gone] = self._best[:, gone] = self._best[kept, kept] = -np.inf
        self._size[kept] += self._size[gone]
        self.members[kept] += self.members[gone]
        self.members[gone] = []

    def agglomerate(self, weights: Linear, join: float) -> list[ClusterMerge]:
        """Join the two most certain clusters repeatedly, down to `join`; return the merges."""
        count = len(self.members)
        scores = np.full((count, count), -np.inf)
        left, right = np.nonzero((self._pairs > 0) & ~self.apart)
        upper = left < right
        left, right = left[upper], right[upper]
        if len(left):
            scores[left, right] = scores[right, left] = weights.log_odds(self.links(left, right))
        merges: list[ClusterMerge] = []
        while count:
            kept, gone = divmod(int(scores.argmax()), count)
            score = float(scores[kept, gone])
            if score < join or not np.isfinite(score):
                break
            merges.append(ClusterMerge(score, kept, gone))
            self.join(kept, gone)
            scores[gone] = scores[:, gone] = scores[kept] = -np.inf
            others = self.compared(kept)
            if len(others):
                here = np.full(len(others), kept)
                scores[kept, others] = weights.log_odds(self.links(here, others))
            scores[:, kept] = scores[kept]
        return merges

    def labels(self) -> NDArray[np.int64]:
        """Return the name of each sighting's cluster, int64 [N]."""
        result = np.zeros(len(self.members), dtype=np.int64)
        for name, members in enumerate(self.members):
            result[members] = name
        return result

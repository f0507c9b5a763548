"""How far the cascade goes with which candidate: named policies, and who is looked at next.

Neighbours are counted for all candidates, at a third of a millisecond each. LightGlue costs two
hundred times that, so it sees who can still change the decision: candidates whose neighbours stand
out nearly as far as the best one's, one after the other, until one is found beyond doubt. Chosen on
pictures held out inside the galleries of zebras and nyalas: see docs/results.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from shared.robust import center_and_spread

PolicyName = Literal["doubt", "wide", "deep", "full", "neighbours"]

# No list is more even than this.
LEAST_SPREAD = 0.15


@dataclass(frozen=True)
class CascadeStage:
    """LightGlue's first `layers` layers for some of the candidates.

    most: candidates that it sees, of all passes
    within: it sees those whose neighbours stand out of the list at most so many deviations less
        than the best one's do
    settled: it stops behind a candidate whose matches' confidences sum up to this share of
        the keypoints that a picture may have
    """

    layers: int
    most: int
    within: float = np.inf
    settled: float = np.inf


@dataclass(frozen=True)
class Policy:
    """Stages after the neighbours, from cheap to dear; each takes the best of the one before."""

    name: PolicyName
    stages: tuple[CascadeStage, ...]

    @property
    def fingerprint(self) -> str:
        """All that evidence depends on, short."""
        return "-".join(
            f"{stage.layers}x{stage.most}w{stage.within:g}s{stage.settled:g}"
            for stage in self.stages
        )


EVERY = 1_000_000
FIRST = 3  # layers of the first stage: they have a trained head of their own
_DOUBT = CascadeStage(layers=FIRST, most=10, within=2.5, settled=0.1)
POLICIES: dict[PolicyName, Policy] = {
    each.name: each
    for each in (
        Policy("doubt", (_DOUBT,)),
        Policy("wide", (CascadeStage(layers=FIRST, most=40, settled=0.1),)),
        Policy("deep", (_DOUBT, CascadeStage(layers=9, most=3, settled=0.1))),
        Policy("full", (CascadeStage(layers=FIRST, most=EVERY),)),
        Policy("neighbours", ()),
    )
}


def deviations(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far neighbour scores [N] stand out of their list, robustly and on a log scale."""
    logs = np.log1p(scores)
    median, spread = center_and_spread(logs, LEAST_SPREAD)
    return np.asarray((logs - median) / spread)


def eligible(stage: CascadeStage, neighbour_scores: Sequence[float]) -> list[int]:
    """Return whom the first stage may see, the best first."""
    if not neighbour_scores:
        return []
    away = deviations(np.array(neighbour_scores, np.float64))
    order = sorted(range(len(away)), key=lambda i: -neighbour_scores[i])[: stage.most]
    return [i for i in order if away[i] >= away[order[0]] - stage.within]


def deeper(stage: CascadeStage, confidences: Sequence[float], seen: Sequence[int]) -> list[int]:
    """Return whom a further stage may see of those `seen` by the one before, the best first."""
    return sorted(seen, key=lambda i: -confidences[i])[: stage.most]

"""Named policies: how far the cascade goes, and which candidates it compares next.

Neighbours cost a third of a millisecond per candidate and are counted for all. LightGlue costs two
hundred times that, so it compares only candidates that can still change the decision: those whose
neighbours stand out nearly as far as the best one's, in order, until one is conclusive. Chosen on
held-out gallery pictures of zebras and nyalas; see docs/results.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from shared.robust import center_and_spread

PolicyName = Literal["doubt", "wide", "deep", "full", "neighbours"]

# Lower bound of a list's spread.
LEAST_SPREAD = 0.15


@dataclass(frozen=True)
class CascadeStage:
    """LightGlue's first `layers` layers for some of the candidates.

    most: maximum number of candidates, over all passes
    within: candidates whose neighbours stand out at most this many deviations less than the best
        one's
    settled: it stops after a candidate whose summed confidence reaches this share of the maximum
        number of keypoints
    """

    layers: int
    most: int
    within: float = np.inf
    settled: float = np.inf


@dataclass(frozen=True)
class Policy:
    """Stages after the neighbours, from cheap to expensive; each takes the last one's best."""

    name: PolicyName
    stages: tuple[CascadeStage, ...]

    @property
    def fingerprint(self) -> str:
        """A short name of everything that evidence depends on."""
        return "-".join(
            f"{stage.layers}x{stage.most}w{stage.within:g}s{stage.settled:g}"
            for stage in self.stages
        )


EVERY = 1_000_000
FIRST = 3  # layers of the first stage, which have their own trained head
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
    """Return how far neighbour scores [N] stand out of their list, robustly, on a log scale."""
    logs = np.log1p(scores)
    median, spread = center_and_spread(logs, LEAST_SPREAD)
    return np.asarray((logs - median) / spread)


def eligible(stage: CascadeStage, neighbour_scores: Sequence[float]) -> list[int]:
    """Return the candidates for the first stage, best first."""
    if not neighbour_scores:
        return []
    away = deviations(np.array(neighbour_scores, np.float64))
    order = sorted(range(len(away)), key=lambda i: -neighbour_scores[i])[: stage.most]
    return [i for i in order if away[i] >= away[order[0]] - stage.within]


def deeper(stage: CascadeStage, confidences: Sequence[float], seen: Sequence[int]) -> list[int]:
    """Return the candidates for a further stage, best first, among those `seen` by the last one."""
    return sorted(seen, key=lambda i: -confidences[i])[: stage.most]

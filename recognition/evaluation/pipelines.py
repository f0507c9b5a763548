"""From evidence to ranked individuals: five pipelines to compare."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recognition.data.labelled_stream import LabelledSighting
from services.registry.calibration.calibration import Curve
from services.registry.features.evidence import features
from services.registry.identity.rank import rank
from shared.messages import DEPTH_LIGHTGLUE, DEPTH_NEIGHBOURS, Evidence

# Evidence → one score per piece, float64 [N]; higher is better.
PictureScore = Callable[[Sequence[Evidence]], NDArray[np.float64]]


@dataclass(frozen=True)
class Ranked:
    """An individual and its score, on the pipeline's own scale."""

    identity: str
    score: float


class Pipeline(Protocol):
    """One way to rank a query's candidates. Stateless."""

    @property
    def name(self) -> str: ...

    def individuals(self, labelled: LabelledSighting) -> list[Ranked]:
        """Return the individuals among the candidates, best first."""
        ...

    def pictures(self, labelled: LabelledSighting) -> NDArray[np.bool_]:
        """Return for each candidate, best first, whether it shows the query's individual."""
        ...


@dataclass(frozen=True)
class BestPicture:
    """An individual's score is its best picture's; ties are broken by cosine."""

    name: str
    score: PictureScore

    def individuals(self, labelled: LabelledSighting) -> list[Ranked]:
        scores = self.score(labelled.evidence)
        best: dict[str, Ranked] = {}
        for index in _order(labelled.evidence, scores):
            identity = labelled.members[labelled.evidence[index].candidate.sighting_id]
            best.setdefault(identity, Ranked(identity, float(scores[index])))
        return list(best.values())

    def pictures(self, labelled: LabelledSighting) -> NDArray[np.bool_]:
        return labelled.labels()[_order(labelled.evidence, self.score(labelled.evidence))]


@dataclass(frozen=True)
class Fusion:
    """As in service: the registry's calibrated probability of every individual."""

    curve: Curve
    name: str = "fusion"

    def individuals(self, labelled: LabelledSighting) -> list[Ranked]:
        ranked = rank(labelled.evidence, labelled.members, frozenset(), self.curve)
        return [Ranked(item.individual, item.probability) for item in ranked]

    def pictures(self, labelled: LabelledSighting) -> NDArray[np.bool_]:
        scores = self.curve.probabilities(features(labelled.evidence))
        return labelled.labels()[_order(labelled.evidence, scores)]


def cosine(evidence: Sequence[Evidence]) -> NDArray[np.float64]:
    """Return the cosine of the embeddings."""
    return np.array([item.candidate.cosine for item in evidence], dtype=np.float64)


def neighbour_score(evidence: Sequence[Evidence]) -> NDArray[np.float64]:
    """Return the mutual nearest neighbours' score, which selects LightGlue's candidates."""
    return np.array([item.neighbour_score for item in evidence], dtype=np.float64)


def local_score(evidence: Sequence[Evidence]) -> NDArray[np.float64]:
    """Return the stage that the cascade reached, and within it the local score.

    Uncalibrated: 2 + c for a candidate compared by LightGlue, 1 + c for one with neighbours only,
        else 0, where c = x / (1 + x) keeps the order of x, the sum of LightGlue's confidences or
        the neighbours' score, and stays below 1. The cascade selects candidates with the best
        neighbours, so the stage itself ranks.
    """
    return np.array([_local(item) for item in evidence], dtype=np.float64)


def match_count(evidence: Sequence[Evidence]) -> NDArray[np.float64]:
    """Return the number of LightGlue's matches; without LightGlue, cosine - 2, so below all."""
    return np.array(
        [
            item.matches if item.depth == DEPTH_LIGHTGLUE else item.candidate.cosine - 2
            for item in evidence
        ],
        dtype=np.float64,
    )


EMBEDDING = BestPicture("embedding", cosine)
NEIGHBOURS = BestPicture("neighbours", neighbour_score)
LOCAL = BestPicture("local", local_score)
COUNT = BestPicture("count", match_count)


def pipelines(curve: Curve) -> tuple[Pipeline, ...]:
    """Return the five in the order of tables and charts."""
    return EMBEDDING, NEIGHBOURS, LOCAL, COUNT, Fusion(curve)


def _local(item: Evidence) -> float:
    if item.depth == DEPTH_LIGHTGLUE:
        return 2 + item.confidence / (1 + item.confidence)
    if item.depth == DEPTH_NEIGHBOURS:
        return 1 + item.neighbour_score / (1 + item.neighbour_score)
    return 0.0


def _order(evidence: Sequence[Evidence], scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the evidence's indices, by score, then by cosine, highest first."""
    return np.lexsort((-cosine(evidence), -scores))

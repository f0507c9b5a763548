"""Matches of one pair of crops, to be drawn."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.matcher.cascade.pair_evidence import PairEvidence
from services.matcher.engine import Engine
from services.matcher.pair_matchers.homography import agreeing
from services.matcher.pair_matchers.lightglue import PairMatcher
from shared.keypoints.keypoints import Keypoints

Points = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Explanation:
    """The matches of one pair.

    evidence: as the service would attach it
    ends: positions of the M matched keypoints, as fractions of the two crops, float64 [M, 2] each
    confidence: float32 [M], 0..1
    inlier: bool [M], agrees with one homography
    counts: bool [M], lies on the animals; others are drawn but not counted
    """

    evidence: PairEvidence
    ends: tuple[Points, Points]
    confidence: NDArray[np.float32]
    inlier: NDArray[np.bool_]
    counts: NDArray[np.bool_]


def explain(
    networks: Engine, matcher: PairMatcher | None, query: Keypoints, candidate: Keypoints
) -> Explanation:
    """Match two crops' keypoints, including those outside the animals.

    Without a `matcher` only the neighbours' evidence is returned, and nothing is drawn.
    """
    (evidence,) = networks.cascade().gather(query, [candidate])
    if matcher is None or not len(query) or not len(candidate):
        nothing = np.zeros(0, np.bool_)
        nowhere = np.zeros((0, 2))
        return Explanation(evidence, (nowhere, nowhere), np.zeros(0, np.float32), nothing, nothing)
    (found,) = matcher.match(query, [candidate])
    mine, theirs = found.indices.T
    counts = _counts(query)[mine] & _counts(candidate)[theirs]
    inlier = np.zeros(len(mine), np.bool_)
    inlier[counts] = agreeing(query.positions[mine[counts]], candidate.positions[theirs[counts]])
    return Explanation(
        evidence,
        (query.in_crop()[mine], candidate.in_crop()[theirs]),
        found.confidence,
        inlier,
        counts,
    )


def _counts(keypoints: Keypoints) -> NDArray[np.bool_]:
    return np.ones(len(keypoints), np.bool_) if keypoints.animal is None else keypoints.animal


def summary(explanation: Explanation) -> str:
    """Return the evidence in a sentence."""
    evidence = explanation.evidence
    if evidence.reason:
        return evidence.reason
    beside = int((~explanation.counts).sum())
    told = (
        f"{evidence.neighbours} mutual neighbours (score {evidence.neighbour_score:.1f}), "
        f"{evidence.matches} matches (confidence {evidence.confidence:.1f}), {evidence.inliers} "
        "inliers"
    )
    return told + (f"; {beside} more outside the animals, in grey" if beside else "")

"""From cheap to dear: neighbours for every candidate, LightGlue for the best of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.matcher.homography import TOLERANCE, inliers
from services.matcher.keypoints import Keypoints
from services.matcher.lightglue import Correspondences, PairMatcher
from services.matcher.neighbours import mutual_neighbours
from shared.messages import DEPTH_LIGHTGLUE, DEPTH_NEIGHBOURS, DEPTH_NONE, Depth, ModelReference

# One keypoint has a mutual neighbour in every picture, so it says nothing.
FEWEST = 2

# A picture with fewer than these founds no individual: nothing could be recognised by them. A
# frame without an animal has none, a thumbnail of a face some twenty.
FEWEST_TO_KNOW = 8


@dataclass(frozen=True)
class PairEvidence:
    """What two pictures have in common; a stage that was not reached leaves zeros.

    neighbours, neighbour_score: mutual nearest neighbours above the floor, and
        the sum of (cosine - floor) over them
    matches, confidence: LightGlue's matches, and the sum of their scores
    inliers: how many of the matches one homography explains
    reason: why there is no evidence at all
    """

    depth: Depth
    neighbours: int = 0
    neighbour_score: float = 0.0
    matches: int = 0
    confidence: float = 0.0
    inliers: int = 0
    reason: str = ""


def incomparable(query: Keypoints) -> str:
    """Return why a query can't be compared with anything; '' where it can."""
    count = len(query.that_count())
    if count >= FEWEST_TO_KNOW:
        return ""
    return f"the picture shows {count} keypoints that count, and {FEWEST_TO_KNOW} are the fewest"


class Cascade:
    """Compares one query with its candidates.

    `lightglue_candidates` is how many of them, best neighbour score first, are
    matched with LightGlue; 0 means all. Without a `matcher`, none is. `model`
    names all that the meaning of the evidence depends on, but the extractor.
    """

    def __init__(
        self, floor: float, matcher: PairMatcher | None, lightglue_candidates: int
    ) -> None:
        self._floor = floor
        self._matcher = matcher
        self._lightglue_candidates = lightglue_candidates
        parameters = f"floor{floor:g}-best{lightglue_candidates}-tolerance{TOLERANCE:g}"
        self.model = (
            ModelReference(name="neighbours", version="1", preprocessing=f"floor{floor:g}")
            if matcher is None
            else ModelReference(
                name=matcher.model.name,
                version=matcher.model.version,
                preprocessing=f"{parameters}-{matcher.model.preprocessing}",
            )
        )

    def gather(
        self, query: Keypoints, candidates: Sequence[Keypoints], earlier: Sequence[float] = ()
    ) -> list[PairEvidence]:
        """Return the evidence for each candidate, in order. All come from one extractor.

        `earlier` are the neighbour scores of the query's earlier passes: LightGlue sees
        those that are among the best of all passes, as if they had come in one list.

        Keypoints that are known as background count on neither side.
        """
        query, candidates = query.that_count(), [each.that_count() for each in candidates]
        if len(query) < FEWEST:
            reason = f"the query has {len(query)} keypoints that count, too few to compare"
            return [PairEvidence(DEPTH_NONE, reason=reason) for _ in candidates]
        evidence = [
            PairEvidence(
                DEPTH_NONE,
                reason=f"the candidate has {len(candidate)} keypoints that count, too few",
            )
            for candidate in candidates
        ]
        comparable = [i for i, candidate in enumerate(candidates) if len(candidate) >= FEWEST]
        found = mutual_neighbours(query, [candidates[i] for i in comparable], self._floor)
        for i, neighbours in zip(comparable, found, strict=True):
            evidence[i] = PairEvidence(DEPTH_NEIGHBOURS, neighbours.count, neighbours.score)
        if self._matcher is None:
            return evidence
        best = self._best(comparable, evidence, earlier)
        matched = self._matcher.match(query, [candidates[i] for i in best])
        for i, correspondences in zip(best, matched, strict=True):
            evidence[i] = _matched(query, candidates[i], correspondences, evidence[i])
        return evidence

    def _best(
        self, comparable: Sequence[int], evidence: Sequence[PairEvidence], earlier: Sequence[float]
    ) -> list[int]:
        """Return which candidates LightGlue is to match."""
        ranked = sorted(comparable, key=lambda i: -evidence[i].neighbour_score)
        if not self._lightglue_candidates:
            return ranked
        return [
            i
            for place, i in enumerate(ranked)
            if place + sum(score >= evidence[i].neighbour_score for score in earlier)
            < self._lightglue_candidates
        ]


def _matched(
    query: Keypoints, candidate: Keypoints, found: Correspondences, so_far: PairEvidence
) -> PairEvidence:
    return replace(
        so_far,
        depth=DEPTH_LIGHTGLUE,
        matches=len(found.indices),
        confidence=float(found.confidence.sum()),
        inliers=inliers(
            query.positions[found.indices[:, 0]], candidate.positions[found.indices[:, 1]]
        ),
    )

"""From cheap to dear: neighbours for every candidate, LightGlue for those in question."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.matcher.cascade.pair_evidence import PairEvidence
from services.matcher.cascade.policy import Policy, deeper, eligible
from services.matcher.cascade.shortlist import FINGERPRINT, shortlist
from services.matcher.keypoints import Keypoints
from services.matcher.pair_matchers.homography import TOLERANCE, inliers
from services.matcher.pair_matchers.lightglue import Correspondences, PairMatcher
from services.matcher.pair_matchers.neighbours import mutual_neighbours
from shared.messages import DEPTH_LIGHTGLUE, DEPTH_NEIGHBOURS, DEPTH_NONE, ModelReference

# One keypoint has a mutual neighbour in every picture, so it says nothing.
MIN_KEYPOINTS = 2

# A picture with fewer than these founds no individual: nothing could be recognised by them. A
# frame without an animal has none, a thumbnail of a face some twenty.
MIN_KEYPOINTS_TO_IDENTIFY = 8


def incomparable(query: Keypoints) -> str:
    """Return why a query can't be compared with anything; '' where it can."""
    count = len(query.foreground())
    if count >= MIN_KEYPOINTS_TO_IDENTIFY:
        return ""
    return f"{count} keypoints on the animal; at least {MIN_KEYPOINTS_TO_IDENTIFY} are needed"


class Cascade:
    """Compares one query with its candidates, as far as a policy goes with each.

    `matchers` has one for each stage's layers; `keypoints` is how many a picture may have, `most`
    how many candidates are compared at all. `model` names all that the meaning of the evidence
    depends on, but the extractor.
    """

    def __init__(
        self,
        floor: float,
        policy: Policy,
        matchers: Sequence[PairMatcher],
        keypoints: int,
        most: int = 100,
    ) -> None:
        self._floor = floor
        self._most = most
        begin = f"floor{floor:g}-most{most}-{FINGERPRINT}"
        self._stages = list(zip(policy.stages, matchers, strict=True))
        self._keypoints = keypoints
        if not matchers:
            self.model = ModelReference(name="neighbours", version="1", preprocessing=begin)
            return
        last = matchers[-1].model
        self.model = ModelReference(
            name=last.name,
            version=last.version,
            preprocessing=f"{begin}-{policy.fingerprint}-tolerance{TOLERANCE:g}"
            f"-{last.preprocessing}",
        )

    def shortlisted(
        self, query: Keypoints, candidates: Sequence[Keypoints | None], cosines: Sequence[float]
    ) -> list[int]:
        """Return which candidates are compared, in their order; see `shortlist`."""
        return shortlist(query, candidates, cosines, self._floor, self._most)

    def gather(
        self,
        query: Keypoints,
        candidates: Sequence[Keypoints],
        earlier: Sequence[PairEvidence] = (),
    ) -> list[PairEvidence]:
        """Return the evidence for each candidate, in order. All come from one extractor.

        `earlier` is that of the query's earlier passes: LightGlue sees whom it would see if all
        had come in one list.

        Keypoints that are known as background count on neither side.
        """
        query, candidates = query.foreground(), [each.foreground() for each in candidates]
        if len(query) < MIN_KEYPOINTS:
            reason = f"the query has {len(query)} keypoints that count, too few to compare"
            return [PairEvidence(DEPTH_NONE, reason=reason) for _ in candidates]
        evidence = [
            PairEvidence(
                DEPTH_NONE,
                reason=f"the candidate has {len(candidate)} keypoints that count, too few",
            )
            for candidate in candidates
        ]
        comparable = [
            i for i, candidate in enumerate(candidates) if len(candidate) >= MIN_KEYPOINTS
        ]
        found = mutual_neighbours(query, [candidates[i] for i in comparable], self._floor)
        for i, neighbours in zip(comparable, found, strict=True):
            evidence[i] = PairEvidence(DEPTH_NEIGHBOURS, neighbours.count, neighbours.score)
        rivals = [each for each in earlier if each.depth != DEPTH_NONE]
        comparison = _Comparison(
            query, [candidates[i] for i in comparable], [evidence[i] for i in comparable] + rivals
        )
        self._deepen(comparison)
        for place, i in enumerate(comparable):
            evidence[i] = comparison.evidence[place]
        return evidence

    def _deepen(self, comparison: "_Comparison") -> None:
        """Go through the stages until one settles it."""
        seen: list[int] = []
        for number, (stage, matcher) in enumerate(self._stages):
            so_far = comparison.evidence
            asked = (
                deeper(stage, [each.confidence for each in so_far], seen)
                if number
                else eligible(stage, [each.neighbour_score for each in so_far])
            )
            enough = stage.settled * self._keypoints
            seen = comparison.see(asked, matcher, enough)
            if seen and comparison.evidence[seen[-1]].confidence >= enough:
                return


@dataclass(frozen=True)
class _Comparison:
    """A query under way: what is known of its candidates, and behind them of earlier ones."""

    query: Keypoints
    candidates: Sequence[Keypoints]
    evidence: list[PairEvidence]

    def see(self, asked: Sequence[int], matcher: PairMatcher, enough: float) -> list[int]:
        """Match those asked, in their order, until one's confidence is `enough`; return whom."""
        seen: list[int] = []
        for start in range(0, len(asked), matcher.together):
            some = asked[start : start + matcher.together]
            new = [i for i in some if i < len(self.candidates)]
            found = matcher.match(self.query, [self.candidates[i] for i in new])
            matched = dict(zip(new, found, strict=True))
            for i in some:
                if i in matched:
                    self.evidence[i] = _matched(
                        self.query, self.candidates[i], matched[i], self.evidence[i]
                    )
                elif self.evidence[i].depth != DEPTH_LIGHTGLUE:
                    continue  # an earlier pass left it
                seen.append(i)
                if self.evidence[i].confidence >= enough:
                    return seen  # what a batch saw beyond it does not count
        return seen


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

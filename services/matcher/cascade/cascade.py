"""The cascade, from cheap to expensive: neighbours for all candidates, LightGlue for a few."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.matcher.cascade import shortlist, voting
from services.matcher.cascade.pair_evidence import PairEvidence
from services.matcher.cascade.policy import Policy, deeper, eligible
from services.matcher.pair_matchers.homography import TOLERANCE, inliers
from services.matcher.pair_matchers.lightglue import Correspondences, PairMatcher
from services.matcher.pair_matchers.neighbours import mutual_neighbours
from shared.keypoints.keypoints import Keypoints
from shared.messages import DEPTH_LIGHTGLUE, DEPTH_NEIGHBOURS, DEPTH_NONE, ModelReference

# A single keypoint always has a mutual neighbour, so that is no evidence.
MIN_KEYPOINTS = 2

# A picture with fewer keypoints founds no individual, since nothing could match it. An empty frame
# has none, a thumbnail of a face about twenty.
MIN_KEYPOINTS_TO_IDENTIFY = 8


def incomparable(query: Keypoints) -> str:
    """Return why a query can't be compared; '' if it can."""
    count = len(query.foreground())
    if count >= MIN_KEYPOINTS_TO_IDENTIFY:
        return ""
    return f"{count} keypoints on the animal; at least {MIN_KEYPOINTS_TO_IDENTIFY} are needed"


class Cascade:
    """Compares one query with its candidates, as far as the policy goes.

    `matchers` has one per stage, by layers; `keypoints` is the maximum per picture, `most` the
    number of candidates compared. `model` names everything that the meaning of the evidence depends
    on, except the extractor.
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
        begin = f"floor{floor:g}-most{most}-{shortlist.FINGERPRINT}-{voting.FINGERPRINT}"
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

    def shortlisted(self, cosines: Sequence[float], worth: Sequence[float]) -> list[int]:
        """Return the candidates to compare, in their order; see `shortlist`."""
        return shortlist.shortlist(cosines, worth, self._most)

    def gather(
        self,
        query: Keypoints,
        candidates: Sequence[Keypoints],
        earlier: Sequence[PairEvidence] = (),
    ) -> list[PairEvidence]:
        """Return the evidence for each candidate, in order. All share one extractor.

        `earlier` is the evidence of the query's earlier passes: LightGlue compares the same
        candidates as if all had come in one list. Background keypoints are ignored on both sides.
        """
        query, candidates = query.foreground(), [each.foreground() for each in candidates]
        if len(query) < MIN_KEYPOINTS:
            reason = f"the query has {len(query)} usable keypoints, too few to compare"
            return [PairEvidence(DEPTH_NONE, reason=reason) for _ in candidates]
        evidence = [
            PairEvidence(
                DEPTH_NONE,
                reason=f"the candidate has {len(candidate)} usable keypoints, too few",
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
        """Run the stages until one is conclusive."""
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
    """A comparison in progress: evidence of the candidates, followed by that of earlier passes."""

    query: Keypoints
    candidates: Sequence[Keypoints]
    evidence: list[PairEvidence]

    def see(self, asked: Sequence[int], matcher: PairMatcher, enough: float) -> list[int]:
        """Match these candidates in order until one's confidence is `enough`.

        Return the matched.
        """
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
                    continue  # an earlier pass did not match it
                seen.append(i)
                if self.evidence[i].confidence >= enough:
                    return seen  # results of a batch beyond the conclusive one are ignored
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

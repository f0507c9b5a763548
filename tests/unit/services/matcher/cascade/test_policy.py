"""Who is looked at next, and when the cascade stops."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.matcher.cascade.cascade import Cascade
from services.matcher.cascade.pair_evidence import PairEvidence
from services.matcher.cascade.policy import (
    EVERY,
    POLICIES,
    CascadeStage,
    Policy,
    deeper,
    deviations,
    eligible,
)
from services.matcher.pair_matchers.lightglue import Correspondences
from shared.keypoints.keypoints import Keypoints
from shared.messages import DEPTH_LIGHTGLUE, DEPTH_NEIGHBOURS, ModelReference

Make = Callable[..., Keypoints]
KEYPOINTS = 100


class _Told:
    """A matcher that finds as many sure matches in a candidate as the test says."""

    def __init__(self, matches: Sequence[int], together: int = 1, name: str = "told") -> None:
        self.model = ModelReference(name=name, version="1", preprocessing="plain")
        self.together = together
        self.matches = matches
        self.asked: list[int] = []

    def match(self, _: Keypoints, candidates: Sequence[Keypoints]) -> list[Correspondences]:
        # A candidate is told by its size.
        self.asked += [len(each) for each in candidates]
        counts = [self.matches[len(each) % 10] for each in candidates]
        return [
            Correspondences(np.stack([np.arange(n) % 20] * 2, axis=1), np.ones(n, np.float32))
            for n in counts
        ]


def _policy(*stages: CascadeStage) -> Policy:
    return Policy("doubt", stages)


def test_those_that_stand_out_nearly_as_far_as_the_best_are_looked_at() -> None:
    scores = [0.2, 5.0, 0.1, 0.3, 4.8, 0.2, 1.0, 0.1, 0.2, 0.3]
    assert eligible(CascadeStage(3, most=10, within=0.5), scores) == [1, 4]
    assert eligible(CascadeStage(3, most=10, within=8.0), scores) == [1, 4, 6]
    assert eligible(CascadeStage(3, most=1, within=8.0), scores) == [1]


def test_in_a_list_where_nobody_stands_out_more_are_looked_at() -> None:
    even = [0.30, 0.31, 0.32, 0.33, 0.34, 0.35, 0.36]
    assert len(eligible(CascadeStage(3, most=5, within=1.0), even)) == 5


@given(st.lists(st.floats(0, 50), max_size=30), st.integers(1, 40), st.floats(0, 9))
def test_the_best_is_always_looked_at_and_nobody_twice(
    scores: list[float], most: int, within: float
) -> None:
    chosen = eligible(CascadeStage(3, most, within), scores)
    assert len(set(chosen)) == len(chosen) <= most
    assert bool(chosen) == bool(scores)
    if chosen:
        assert scores[chosen[0]] == max(scores)
        assert sorted(chosen, key=lambda i: -scores[i]) == chosen


def test_a_list_of_equals_stands_out_nowhere() -> None:
    assert not deviations(np.full(5, 2.0)).any()


def test_a_further_stage_takes_the_best_of_those_seen() -> None:
    assert deeper(CascadeStage(9, most=2), [9.0, 1.0, 5.0, 7.0], [1, 2, 3]) == [3, 2]


@pytest.mark.parametrize("together", [1, 2, 64])
def test_it_stops_behind_a_candidate_beyond_doubt_whatever_the_batch(
    random_keypoints: Make, together: int
) -> None:
    query = random_keypoints(0, 30)
    # Parts of the query: the larger, the more neighbours they have.
    candidates = [query.where(np.arange(30) < count) for count in (12, 25, 21, 23)]
    matcher = _Told([0, 3, 2, 40, 0, 5, 0, 0, 0, 0], together)
    found = Cascade(0.7, _policy(CascadeStage(3, EVERY, settled=0.4)), [matcher], KEYPOINTS).gather(
        query, candidates
    )
    assert [each.matches for each in found] == [0, 5, 0, 40]  # 25, then 23 with 40 matches
    assert [each.depth for each in found] == [
        DEPTH_NEIGHBOURS,
        DEPTH_LIGHTGLUE,
        DEPTH_NEIGHBOURS,
        DEPTH_LIGHTGLUE,
    ]


def test_a_further_stage_runs_only_in_doubt_and_its_evidence_is_kept(
    random_keypoints: Make,
) -> None:
    query = random_keypoints(0, 30)
    candidates = [query.where(np.arange(30) < count) for count in (25, 24, 21)]
    shallow = _Told([0, 3, 0, 0, 9, 6, 0, 0, 0, 0])
    dear = _Told([0, 0, 0, 0, 20, 10, 0, 0, 0, 0], name="dear")
    policy = _policy(CascadeStage(3, EVERY, settled=0.5), CascadeStage(9, most=2, settled=0.5))
    cascade = Cascade(0.7, policy, [shallow, dear], KEYPOINTS)
    assert [each.matches for each in cascade.gather(query, candidates)] == [10, 20, 3]
    assert dear.asked == [24, 25]
    assert cascade.model.name == "dear"
    dear.asked.clear()
    shallow.matches = [0, 0, 0, 0, 0, 50, 0, 0, 0, 0]
    assert [each.matches for each in cascade.gather(query, candidates)] == [50, 0, 0]
    assert dear.asked == []


def test_what_earlier_passes_settled_is_not_looked_beyond(random_keypoints: Make) -> None:
    query = random_keypoints(0, 30)
    better, worse = (query.where(np.arange(30) < count) for count in (25, 21))
    matcher = _Told([1] * 10)
    cascade = Cascade(0.7, _policy(CascadeStage(3, EVERY, settled=0.4)), [matcher], KEYPOINTS)
    earlier = PairEvidence(DEPTH_LIGHTGLUE, 23, 23 * 0.3, 45, 45.0, 40)
    found = cascade.gather(query, [better, worse], [earlier])
    assert [each.depth for each in found] == [DEPTH_LIGHTGLUE, DEPTH_NEIGHBOURS]
    assert matcher.asked == [25]


def test_two_passes_look_at_no_more_than_one_list_would(random_keypoints: Make) -> None:
    query = random_keypoints(0, 30)
    candidates = [query.where(np.arange(30) < count) for count in (26, 25, 24, 23)]
    policy = _policy(CascadeStage(3, most=2))

    def depths(cascade: Cascade, *passes: Sequence[Keypoints]) -> list[int]:
        evidence: list[PairEvidence] = []
        for some in passes:
            evidence += cascade.gather(query, some, evidence)
        return [each.depth for each in evidence]

    cascade = Cascade(0.7, policy, [_Told([1] * 10)], KEYPOINTS)
    assert depths(cascade, candidates) == depths(cascade, candidates[:2], candidates[2:])


def test_every_policy_has_a_name_of_its_own_for_its_evidence() -> None:
    assert len({policy.fingerprint for policy in POLICIES.values()}) == len(POLICIES)

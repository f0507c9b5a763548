"""Whom a long list is cut down to."""

from collections.abc import Callable

import numpy as np

from services.matcher.cascade.shortlist import COARSE, shortlist
from services.matcher.keypoints import Keypoints, none_in

Make = Callable[..., Keypoints]


def test_a_list_that_is_short_enough_stays_as_it_is(random_keypoints: Make) -> None:
    few = [random_keypoints(seed, 5) for seed in range(1, 4)]
    assert shortlist(random_keypoints(0, 5), few, [0.1, 0.2, 0.3], 0.95, 3) == [0, 1, 2]


def test_both_the_embedding_and_local_features_speak_for_a_candidate(
    random_keypoints: Make,
) -> None:
    query = random_keypoints(0, 40)
    candidates = [random_keypoints(seed, 40) for seed in range(1, 30)] + [query]
    cosines = [0.5 - seed / 100 for seed in range(29)] + [-1.0]
    assert shortlist(query, candidates, cosines, 0.95, 3) == [0, 1, 29]


def test_only_the_best_keypoints_are_looked_at(random_keypoints: Make) -> None:
    query = random_keypoints(0, COARSE + 30)
    late = query.where(np.arange(len(query)) >= COARSE)
    others = [random_keypoints(seed, 40) for seed in range(1, 5)]
    found = shortlist(query, [*others, late], [0.5, 0.4, 0.3, 0.2, 0.1], 0.95, 2)
    assert found == [0, 1]


def test_crops_that_cannot_be_read_and_such_without_keypoints_go_by_their_embedding(
    random_keypoints: Make,
) -> None:
    query, nothing = random_keypoints(0, 40), none_in(100, 100, 16)
    candidates = [random_keypoints(1, 40), None, nothing, random_keypoints(2, 40)]
    assert shortlist(query, candidates, [0.1, 0.9, 0.8, 0.2], 0.95, 2) == [1, 2]
    assert shortlist(nothing, candidates, [0.1, 0.9, 0.8, 0.2], 0.95, 2) == [1, 2]


def test_background_does_not_speak_for_a_candidate(random_keypoints: Make) -> None:
    query = random_keypoints(0, 40)
    bush = query.marked(np.zeros(40, np.bool_))
    others = [random_keypoints(seed, 40) for seed in range(1, 5)]
    assert shortlist(query, [*others, bush], [0.5, 0.4, 0.3, 0.2, 0.1], 0.95, 2) == [0, 1]

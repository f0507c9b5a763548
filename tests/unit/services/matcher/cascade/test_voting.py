"""Which candidates a query's keypoints vote for, and what that is worth."""

from collections.abc import Callable

import numpy as np
import pytest

from services.matcher.cascade.voting import BEST, PLACES, VOTING, distinctiveness, vote
from shared.keypoints.keypoints import Keypoints, none_in
from shared.votes import DISTANCES, KeypointVotes

Make = Callable[..., Keypoints]
NOBODY = KeypointVotes.none()


def votes(*rows: list[tuple[int, int]]) -> KeypointVotes:
    numbers = np.array([[number for number, _ in row] for row in rows], np.int64)
    similar = np.array([[value for _, value in row] for row in rows], np.uint8)
    return KeypointVotes(1, numbers, similar)


def test_a_picture_votes_for_itself_first(random_keypoints: Make) -> None:
    query = random_keypoints(0, 40)
    others = {number: random_keypoints(number, 40) for number in range(1, 12)}
    found = vote(query, {**others, 77: query}, NOBODY)
    assert found.votes.numbers.shape == (40, PLACES)
    assert (found.votes.numbers[:, 0] == 77).all()
    assert max(found.worth, key=lambda number: found.worth[number]) == 77


def test_only_the_strongest_keypoints_on_the_animal_vote(random_keypoints: Make) -> None:
    query = random_keypoints(0, VOTING + 30)
    assert len(vote(query, {1: query}, NOBODY).votes.numbers) == VOTING
    bush = query.marked(np.arange(len(query)) < 10)
    assert len(vote(bush, {1: query}, NOBODY).votes.numbers) == 10


def test_candidates_answer_with_their_own_keypoints(random_keypoints: Make) -> None:
    query, other = random_keypoints(0, 40), random_keypoints(1, 25)
    found = vote(query, {1: other}, NOBODY)
    keypoints, row = found.reverse[1]
    assert keypoints == vote(other, {}, NOBODY).votes.keypoints
    assert len(row) == 25
    forward = query.unit() @ other.best(25).unit().T
    assert row / 255 == pytest.approx(np.clip(forward.max(axis=0), 0, 1), abs=0.003)


def test_passes_give_what_one_list_gives(random_keypoints: Make) -> None:
    query = random_keypoints(0, 40)
    others = {number: random_keypoints(number, 40) for number in range(1, 21)}
    early = {number: each for number, each in others.items() if number % 2}
    late = {number: each for number, each in others.items() if not number % 2}
    one = vote(query, others, NOBODY)
    two = vote(query, late, vote(query, early, NOBODY).votes)
    assert np.array_equal(one.votes.numbers, two.votes.numbers)
    assert one.worth == two.worth


def test_votes_of_other_keypoints_do_not_count(random_keypoints: Make) -> None:
    earlier = vote(random_keypoints(9, 40), {1: random_keypoints(1, 40)}, NOBODY).votes
    found = vote(random_keypoints(0, 40), {2: random_keypoints(2, 40)}, earlier)
    assert set(found.votes.numbers.ravel().tolist()) == {0, 2}


def test_a_query_without_keypoints_votes_for_nobody(random_keypoints: Make) -> None:
    found = vote(none_in(100, 100, 16), {1: random_keypoints(1, 40)}, NOBODY)
    assert not len(found.votes.numbers)
    assert found.worth == {}


def test_a_match_is_worth_what_it_is_nearer_than_the_next() -> None:
    row = [(1, 250), (2, 240), (3, 230), (4, 220), (5, 200), (6, 190), (7, 180), (8, 170)]
    worth = distinctiveness(votes(row))
    assert worth == pytest.approx(
        {number: DISTANCES[200] - DISTANCES[value] for number, value in row[:BEST]}
    )


def test_what_all_match_alike_is_worth_nothing() -> None:
    assert distinctiveness(votes([(number, 240) for number in range(1, 9)])) == {}


def test_in_a_short_list_a_match_is_measured_against_the_floor() -> None:
    nobody = [(0, 0)] * 6
    worth = distinctiveness(votes([(1, 240), (2, 100), *nobody]))
    assert list(worth) == [1]

"""What matches are worth, measured against other individuals."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from services.registry.features.comparisons import NO_ANSWERS, Comparisons, Reverse
from services.registry.features.distinctiveness import VoteTable
from services.registry.features.evidence import ScoreStatistics
from shared.votes import DISTANCES, UNRIVALLED, KeypointVotes

EMPTY = Comparisons.of([], {})


def listed(
    name: int,
    *rows: list[tuple[int, int]],
    reverse: Reverse = NO_ANSWERS,
) -> Comparisons:
    """Comparisons of a sighting whose keypoints voted so; each with number and similarity."""
    places = max((len(row) for row in rows), default=1) + 1
    full = [[*row, *[(0, 0)] * (places - len(row))] for row in rows]
    shape = len(rows), places
    votes = KeypointVotes(
        name,
        np.array([[number for number, _ in row] for row in full], np.int64).reshape(shape),
        np.array([[value for _, value in row] for row in full], np.uint8).reshape(shape),
    )
    return Comparisons(
        np.zeros(0, np.int64),
        EMPTY.features,
        ScoreStatistics.of(EMPTY.features),
        votes,
        reverse,
    )


def between(lists: dict[int, Comparisons], groups: list[int]) -> NDArray[np.float64]:
    return VoteTable(lists).between(np.array(groups))


def test_a_match_is_worth_what_it_is_nearer_than_the_best_other_individual() -> None:
    lists = {1: EMPTY, 2: EMPTY, 3: listed(3, [(1, 250), (2, 200)])}
    found = between(lists, [0, 1, 2])
    assert found[2, 0] == pytest.approx(DISTANCES[200] - DISTANCES[250])
    assert found[2, 1] == 0


def test_an_animals_own_pictures_do_not_speak_against_it() -> None:
    lists = {1: EMPTY, 2: EMPTY, 3: EMPTY, 4: listed(4, [(1, 250), (2, 245), (3, 200)])}
    apart, together = between(lists, [0, 1, 2, 3]), between(lists, [0, 0, 2, 3])
    assert apart[3, 0] == pytest.approx(DISTANCES[245] - DISTANCES[250])
    assert together[3, 0] == pytest.approx(DISTANCES[200] - DISTANCES[250])
    assert together[3, 1] == pytest.approx(DISTANCES[200] - DISTANCES[245])


def test_the_sightings_own_individual_does_not_count_as_another() -> None:
    lists = {1: EMPTY, 2: EMPTY, 3: listed(3, [(1, 250), (2, 200)])}
    assert between(lists, [0, 1, 0])[2, 0] == pytest.approx(DISTANCES[200] - DISTANCES[250])
    lists = {1: EMPTY, 2: EMPTY, 3: EMPTY, 4: listed(4, [(1, 250), (2, 240), (3, 200)])}
    assert between(lists, [0, 1, 2, 1])[3, 0] == pytest.approx(DISTANCES[200] - DISTANCES[250])


def test_whoever_has_no_place_is_no_nearer_than_the_last_place() -> None:
    full = listed(3, [(1, 250), (2, 230)])
    votes = KeypointVotes(3, full.votes.numbers[:, :2], full.votes.similarities[:, :2])
    lists = {1: EMPTY, 2: EMPTY, 3: replace(full, votes=votes)}
    found = between(lists, [0, 0, 1])[2]
    assert found == pytest.approx([DISTANCES[230] - DISTANCES[250], 0, 0])


def test_sightings_outside_are_others() -> None:
    lists = {1: EMPTY, 3: listed(3, [(99, 240), (1, 230)])}
    assert not between(lists, [0, 1]).any()
    lists = {1: EMPTY, 3: listed(3, [(1, 250), (99, 240)])}
    assert between(lists, [0, 1])[1, 0] == pytest.approx(DISTANCES[240] - DISTANCES[250])


def test_with_nobody_else_a_match_is_measured_against_a_fixed_similarity() -> None:
    lists = {1: EMPTY, 3: listed(3, [(1, 250)])}
    assert between(lists, [0, 1])[1, 0] == pytest.approx(DISTANCES[UNRIVALLED] - DISTANCES[250])


def test_more_keypoints_weigh_by_the_root_of_their_number() -> None:
    row = [(1, 250), (2, 200)]
    lists = {1: EMPTY, 2: EMPTY, 3: listed(3, row, row, row, row)}
    one = DISTANCES[200] - DISTANCES[250]
    assert between(lists, [0, 1, 2])[2, 0] == pytest.approx(4 * one / 2)


def test_a_candidates_keypoints_answer_later_sightings() -> None:
    answer = Reverse(np.array([1]), np.array([11]), np.array([[230, 90]], np.uint8))
    lists = {
        1: listed(11, [(9, 200)], [(9, 200)]),
        2: listed(22, [(1, 210)], reverse=answer),
    }
    found = between(lists, [0, 1])
    assert found[0, 1] == pytest.approx((DISTANCES[200] - DISTANCES[230]) / np.sqrt(2))


def test_an_answer_of_other_keypoints_is_ignored() -> None:
    answer = Reverse(np.array([1]), np.array([12]), np.array([[230, 90]], np.uint8))
    lists = {
        1: listed(11, [(9, 200)], [(9, 200)]),
        2: listed(22, [(1, 210)], reverse=answer),
    }
    assert between(lists, [0, 1])[0, 1] == 0


def test_without_votes_nothing_is_distinctive() -> None:
    assert between({}, []).shape == (0, 0)
    assert not between({1: EMPTY, 2: EMPTY}, [0, 1]).any()

"""Whom a long list is cut down to."""

from services.matcher.cascade.shortlist import shortlist


def test_a_list_that_is_short_enough_stays_as_it_is() -> None:
    assert shortlist([0.1, 0.2, 0.3], [0.0, 0.0, 0.0], 3) == [0, 1, 2]


def test_both_the_embedding_and_votes_speak_for_a_candidate() -> None:
    cosines = [0.5 - place / 100 for place in range(29)] + [-1.0]
    worth = [0.0] * 29 + [2.0]
    assert shortlist(cosines, worth, 3) == [0, 1, 29]


def test_candidates_without_votes_go_by_their_embedding() -> None:
    assert shortlist([0.1, 0.9, 0.8, 0.2], [0.0, 0.0, 0.0, 0.0], 2) == [1, 2]

"""Individuals take turns in being new, and in being known from other pictures."""

from recognition.evaluation.folds import folds

INDIVIDUALS = dict(enumerate("aaaabbbbccccddddeeeef"))
EVERYTHING = 2 * len(INDIVIDUALS)


def test_an_individual_is_new_once_to_a_model_that_learnt_nothing_of_it() -> None:
    turns = folds(INDIVIDUALS, EVERYTHING, 3, 0)
    assert sorted(number for turn in turns for number in turn.new) == list(INDIVIDUALS)
    for turn in turns:
        new = {INDIVIDUALS[number] for number in turn.new}
        assert new.isdisjoint(INDIVIDUALS[number] for number in turn.learnt)


def test_an_individual_is_known_once_from_pictures_that_were_not_learnt() -> None:
    turns = folds(INDIVIDUALS, EVERYTHING, 3, 0)
    # The sixth has one picture, which can't be both learnt and asked.
    assert sorted(INDIVIDUALS[number] for turn in turns for number in turn.known) == list("abcde")
    for turn in turns:
        assert set(turn.known).isdisjoint(turn.learnt)
        learnt = {INDIVIDUALS[number] for number in turn.learnt}
        assert {INDIVIDUALS[number] for number in turn.known} <= learnt


def test_no_more_are_asked_than_may_be() -> None:
    turns = folds(INDIVIDUALS, 6, 3, 0)
    assert sum(len(turn.new) for turn in turns) == 3
    assert sum(len(turn.known) for turn in turns) == 3


def test_lots_decide_who_is_new_together() -> None:
    assert folds(INDIVIDUALS, 12, 3, 0) == folds(INDIVIDUALS, 12, 3, 0)
    assert folds(INDIVIDUALS, 12, 3, 0) != folds(INDIVIDUALS, 12, 3, 1)

"""Individuals take turns in being new."""

from recognition.evaluation.folds import folds

INDIVIDUALS = dict(enumerate("aabbccddee"))


def test_every_picture_is_asked_once_of_a_model_that_knows_nothing_of_its_individual() -> None:
    turns = folds(INDIVIDUALS, range(10), 3, 0)
    assert sorted(number for turn in turns for number in turn.asked) == list(range(10))
    for turn in turns:
        new = {INDIVIDUALS[number] for number in turn.asked}
        assert new.isdisjoint(INDIVIDUALS[number] for number in turn.learnt)
        assert len(turn.asked) + len(turn.learnt) == 10


def test_a_turn_in_which_nobody_is_asked_is_left_out() -> None:
    [turn] = folds(INDIVIDUALS, [4], 3, 0)
    assert turn.asked == (4,)
    assert 5 not in turn.learnt


def test_lots_decide_who_is_new_together() -> None:
    assert folds(INDIVIDUALS, range(10), 3, 0) == folds(INDIVIDUALS, range(10), 3, 0)
    assert folds(INDIVIDUALS, range(10), 3, 0) != folds(INDIVIDUALS, range(10), 3, 1)

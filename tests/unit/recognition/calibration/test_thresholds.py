"""Thresholds keep the promise, and say when they can't."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recognition.calibration.bound import CalibrationError, RiskLevels, upper_bound
from recognition.calibration.holdout_check import check_holdout, false_known
from recognition.calibration.queries import CalibrationQuery
from recognition.calibration.thresholds import (
    LEVELS,
    floors,
    new_threshold,
    one_each,
    thresholds,
)
from tests.support.synthetic_stream import made_queries

RISK_LEVELS = RiskLevels(false_known=0.1, false_new=0.3, confidence=0.95)


def _queries(
    count: int, new: float, known: float, *, right: bool = True, each: int = 1
) -> list[CalibrationQuery]:
    return [
        query
        for name in range(count)
        for query in (
            *[CalibrationQuery(f"nyala/{name}", new, known=False, right=False)] * each,
            *[CalibrationQuery(f"nyala/{name}", known, known=True, right=right)] * each,
        )
    ]


def test_known_begins_just_above_the_new_animals_and_new_just_below_the_known_ones() -> None:
    found = thresholds(_queries(40, new=0.2, known=0.9), RISK_LEVELS)
    assert 0.2 < found.known < 0.22
    assert 0 < found.new <= found.known
    assert found.guarantee.bound == pytest.approx(upper_bound(0, 40, 0.95))
    assert (found.guarantee.individuals, found.guarantee.known_individuals) == (40, 40)
    assert found.guarantee.species == ("nyala",)


def test_pictures_of_one_animal_count_once() -> None:
    with pytest.raises(CalibrationError, match="there are 10"):
        thresholds(_queries(10, 0.2, 0.9, each=50), RISK_LEVELS)


def test_too_few_animals_are_told_how_many_it_takes_and_what_these_support() -> None:
    strict = RiskLevels(0.02, 0.3, 0.95)
    with pytest.raises(CalibrationError) as caught:
        thresholds(_queries(148, 0.2, 0.9), strict)
    assert "needs 149 new individuals" in str(caught.value)
    assert "there are 148, which support 0.020 at best" in str(caught.value)
    assert thresholds(_queries(149, 0.2, 0.9), strict).known < 1


def test_enough_new_animals_do_not_stand_in_for_known_ones() -> None:
    new = [query for query in _queries(60, 0.2, 0.9) if not query.known]
    with pytest.raises(CalibrationError, match=r"29 known individuals .* there are 0"):
        thresholds(new, RISK_LEVELS)


def test_where_even_the_highest_threshold_errs_nothing_is_called_known() -> None:
    found = thresholds(_queries(40, new=1.0, known=1.0), RISK_LEVELS)
    assert (found.known, found.guarantee.bound) == (1.0, 0.0)


def test_wrong_names_count_like_new_animals_called_known() -> None:
    rightly = _queries(40, new=0.1, known=0.95, each=20)
    wrongly = [CalibrationQuery(f"nyala/-{n}", 0.6, known=True, right=False) for n in range(40)]
    assert thresholds(rightly, RISK_LEVELS).known < 0.6
    assert thresholds([*rightly, *wrongly], RISK_LEVELS).known > 0.6


def test_nothing_is_called_known_where_most_of_it_would_be_wrong() -> None:
    rare = _queries(300, new=0.1, known=0.1)
    rare += [CalibrationQuery(f"nyala/{n}", 0.9, known=True, right=True) for n in range(300, 302)]
    rare += [
        CalibrationQuery(f"nyala/{n}", 0.95, known=False, right=False) for n in range(400, 402)
    ]
    assert thresholds(rare, RISK_LEVELS).known == 1.0


def test_new_is_never_above_known_and_0_where_no_error_is_accepted() -> None:
    queries = _queries(40, new=0.2, known=0.9)
    assert new_threshold(queries, 0.5, RISK_LEVELS) <= 0.5
    assert new_threshold(queries, 0.5, RiskLevels(0.1, 0.0, 0.95)) == 0.0
    assert new_threshold([], 0.5, RISK_LEVELS) == 0.0


def test_levels_fall_and_do_not_depend_on_data() -> None:
    assert (np.diff(LEVELS) < 0).all()
    assert 0 < LEVELS[-1] < LEVELS[0] < 1


def test_the_lot_comes_again_and_every_animal_has_one() -> None:
    queries = made_queries(30)
    assert one_each(queries, 5) == one_each(queries, 5) != one_each(queries, 6)
    assert len(one_each(queries, 5)) == 30


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1000), st.sampled_from([0.02, 0.1, 0.3]))
def test_on_the_pictures_that_were_drawn_the_bound_holds(seed: int, error: float) -> None:
    queries = made_queries(200, seed)
    found = thresholds(queries, RiskLevels(error, 0.3, 0.95), seed)
    drawn = one_each((query for query in queries if not query.known), seed)
    errors = sum(query.probability >= found.known for query in drawn)
    assert 0 <= found.new <= found.known <= 1
    assert upper_bound(errors, 200, 0.95) <= error or found.known == 1.0


def _truth(known: float) -> float:
    """The share of all new animals' pictures at or above a threshold: `made_queries` is normal."""
    return math.erfc(math.log(known / (1 - known)) / math.sqrt(2)) / 2


def _naive(queries: list[CalibrationQuery], error: float) -> float:
    """The threshold above which so many of the new animals' pictures lie, and no bound."""
    return float(np.quantile([q.probability for q in queries if not q.known], 1 - error))


def test_in_100_repetitions_the_promise_holds_in_95_and_naively_it_does_not() -> None:
    kept = naively = 0
    for seed in range(100):
        calibration = made_queries(100, seed)
        kept += _truth(thresholds(calibration, RISK_LEVELS, seed).known) <= 0.1
        naively += _truth(_naive(calibration, 0.1)) <= 0.1
    assert kept >= 95
    assert naively < 75


def test_pictures_counted_as_if_they_were_independent_break_the_promise() -> None:
    kept = 0
    for seed in range(30):
        apart = [
            replace(query, individual=f"made/{number}")
            for number, query in enumerate(made_queries(100, seed))
        ]
        kept += _truth(thresholds(apart, RISK_LEVELS, seed).known) <= 0.1
    assert kept < 24


def test_repetitions_part_the_individuals_and_count_what_was_kept() -> None:
    found = check_holdout(made_queries(150), RISK_LEVELS, 20, seed=1)
    assert len(found.rates) == 20
    assert found.kept == sum(rate <= 0.1 for rate in found.rates) >= 15
    assert found == check_holdout(made_queries(150), RISK_LEVELS, 20, seed=1)


def test_repetitions_on_too_few_individuals_are_refused() -> None:
    with pytest.raises(CalibrationError, match="there are 20"):
        check_holdout(made_queries(40), RISK_LEVELS, 2)


def test_the_false_known_rate_counts_every_animal_alike() -> None:
    often = [CalibrationQuery("a/1", 0.9, known=False, right=False)] * 9
    once = [CalibrationQuery("a/2", 0.1, known=False, right=False)]
    known = [CalibrationQuery("a/3", 0.9, known=True, right=True)]
    assert false_known([*often, *once, *known], 0.5) == 0.5


def _right_calls(species: str, scores: np.ndarray) -> list[CalibrationQuery]:
    return [
        CalibrationQuery(f"{species}/{index}", 0.9, known=True, right=True, essentials=(score, 1.0))
        for index, score in enumerate(scores.tolist())
    ]


def test_the_floor_is_what_nearly_all_right_calls_of_a_set_have() -> None:
    queries = _right_calls("cat", np.linspace(1, 2, 101))
    queries += _right_calls("zebra", np.linspace(5, 6, 51)) + _right_calls(
        "horse", 5 + np.linspace(0, 1, 50)
    )
    of_wrong = CalibrationQuery("cat/w", 0.9, known=False, right=False, essentials=(0.0, 0.0))
    of_lower = CalibrationQuery("cat/l", 0.1, known=True, right=True, essentials=(0.0, 0.0))
    found = floors([*queries, of_wrong, of_lower], 0.5, {"horse": "zebra"})
    assert found == pytest.approx(((1.02 + 5.02) / 2, 1.0), abs=0.01)


def test_without_right_calls_there_is_no_floor() -> None:
    assert floors(_right_calls("cat", np.ones(3)), 0.95, {}) is None

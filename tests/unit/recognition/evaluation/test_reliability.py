"""Bins of equal mass, and how far they are from what they claim."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.evaluation.reliability import bins, calibration_error

answers = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


def test_bins_hold_equally_many() -> None:
    claimed = np.linspace(0, 1, 50) ** 4
    found = bins(claimed, claimed > 0.5, most=5)
    assert [each.count for each in found] == [10] * 5
    assert found[0].lowest == 0
    assert found[-1].highest == 1
    assert found[0].highest < found[1].lowest


def test_equal_probabilities_share_a_bin_whatever_their_order() -> None:
    claimed = np.array([0.0] * 7 + [0.7, 0.9, 0.9])
    right = np.arange(10) % 2 == 0
    found = bins(claimed, right, most=5)
    assert [each.count for each in found] == [8, 2]
    assert bins(claimed[::-1], right[::-1], most=5) == found


def test_kept_promises_have_no_error() -> None:
    claimed = np.repeat([0.25, 0.75], 4)
    right = np.array([1, 0, 0, 0, 1, 1, 1, 0], dtype=np.bool_)
    assert calibration_error(bins(claimed, right)) == 0


def test_the_error_is_weighed_by_counts() -> None:
    claimed = np.repeat([0.1, 0.9], [6, 2])
    right = np.array([0] * 6 + [1, 0], dtype=np.bool_)
    assert calibration_error(bins(claimed, right)) == pytest.approx((6 * 0.1 + 2 * 0.4) / 8)


@given(answers)
def test_every_answer_is_in_one_bin(given_answers: list[tuple[float, bool]]) -> None:
    claimed = np.array([claim for claim, _ in given_answers])
    right = np.array([was for _, was in given_answers])
    found = bins(claimed, right)
    assert sum(each.count for each in found) == len(claimed)
    assert 0 <= calibration_error(found) <= 1
    assert all(each.lowest <= each.highest for each in found)


def test_no_answers_are_refused() -> None:
    with pytest.raises(ValueError, match="probabilities"):
        bins(np.array([]), np.array([], dtype=np.bool_))

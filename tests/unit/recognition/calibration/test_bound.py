"""Exact binomial bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.calibration.bound import needed, supported, upper_bound


@pytest.mark.parametrize(
    ("errors", "count", "bound"),
    [(0, 10, 0.2589), (1, 10, 0.3942), (0, 149, 0.0199), (0, 148, 0.0200), (5, 100, 0.1023)],
)
def test_the_bound_is_the_one_of_the_tables(errors: int, count: int, bound: float) -> None:
    assert upper_bound(errors, count, 0.95) == pytest.approx(bound, abs=1e-4)


def test_when_all_fail_or_none_was_tried_nothing_is_bounded() -> None:
    assert upper_bound(3, 3, 0.95) == upper_bound(0, 0, 0.95) == 1
    assert supported(0, 0.95) == 1


@given(st.floats(0.001, 0.5), st.floats(0.5, 0.99))
def test_just_as_many_as_needed_support_the_error(error: float, confidence: float) -> None:
    count = needed(error, confidence)
    assert supported(count, confidence) <= error + 1e-12
    assert upper_bound(0, count, confidence) == pytest.approx(supported(count, confidence))
    assert count == 1 or supported(count - 1, confidence) > error - 1e-12


def test_two_percent_at_95_takes_149() -> None:
    assert needed(0.02, 0.95) == 149

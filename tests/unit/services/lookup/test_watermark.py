"""The watermark is the longest run of numbers without gaps, in whatever order they came."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lookup import watermark
from services.lookup.watermark import advance


class Held:
    """The numbers a gallery holds, and how many it was asked for."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self.numbers = set(numbers)
        self.widest = 0

    def __call__(self, above: int, up_to: int) -> frozenset[int]:
        self.widest = max(self.widest, up_to - above)
        return frozenset(n for n in self.numbers if above < n <= up_to)


@given(
    batches=st.lists(st.lists(st.integers(1, 40), max_size=8), max_size=20),
    window=st.integers(1, 50),
)
def test_any_order_and_any_repeats_give_the_longest_run_from_one(
    batches: list[list[int]], window: int
) -> None:
    reached = 0
    held = Held([])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watermark, "WINDOW", window)
        for batch in batches:
            held.numbers.update(batch)
            before, reached = reached, advance(reached, held)
            assert reached >= before
            assert set(range(1, reached + 1)) <= held.numbers
            assert reached + 1 not in held.numbers


def test_a_restart_finds_what_lies_beyond_a_gap() -> None:
    held = Held([1, 2, 4, 5])
    assert advance(0, held) == 2
    held.numbers.add(3)
    assert advance(2, held) == 5


def test_a_missing_first_enrolment_does_not_cost_reading_all_that_follow() -> None:
    held = Held(range(2, 100_000))
    assert advance(0, held) == 0
    assert held.widest == watermark.WINDOW


def test_a_long_run_is_followed_across_windows() -> None:
    assert advance(0, Held(range(1, 5001))) == 5000

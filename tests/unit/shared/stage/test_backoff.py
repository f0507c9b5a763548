from hypothesis import given
from hypothesis import strategies as st

from shared.stage.backoff import Backoff

BACKOFF = Backoff(first=0.5, limit=30.0)


def test_the_longest_pause_doubles_until_the_limit() -> None:
    assert [BACKOFF.ceiling(attempt) for attempt in range(8)] == [0.5, 1, 2, 4, 8, 16, 30, 30]


@given(
    attempt=st.integers(0, 10**9),
    chance=st.floats(0, 1, exclude_max=True),
)
def test_every_pause_lies_between_nothing_and_the_limit(attempt: int, chance: float) -> None:
    assert 0 <= BACKOFF.delay(attempt, chance) <= BACKOFF.limit

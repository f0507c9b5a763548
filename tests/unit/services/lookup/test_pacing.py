"""Sightings wait while lists are undecided; enrolments never do."""

from collections.abc import Callable

import pytest

from services.lookup.pacing import READING_SECONDS, RETRY_SECONDS, Pacing
from shared.errors import Transient
from shared.kafka import topics

HELD = frozenset({topics.SIGHTINGS})


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Lag:
    """A backlog of a given size; None: the broker can't say."""

    def __init__(self, lists: int | None) -> None:
        self.lists = lists
        self.readings = 0

    def __call__(self) -> int:
        self.readings += 1
        if self.lists is None:
            raise Transient("no broker answers")
        return self.lists


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def paced(clock: Clock) -> Callable[[Lag], Pacing]:
    return lambda lag: Pacing(lag, 8, clock)


@pytest.mark.parametrize(("lists", "held"), [(0, set()), (7, set()), (8, HELD), (500, HELD)])
def test_only_sightings_are_held_and_only_at_the_limit(
    paced: Callable[[Lag], Pacing], lists: int, held: set[str]
) -> None:
    assert paced(Lag(lists))() == held


def test_sightings_go_on_when_decisions_were_made(
    paced: Callable[[Lag], Pacing], clock: Clock
) -> None:
    lag = Lag(8)
    pacing = paced(lag)
    assert pacing() == HELD
    lag.lists = 3
    clock.now += READING_SECONDS
    assert pacing() == set()


def test_the_broker_is_asked_once_per_interval_and_what_went_out_since_counts(
    paced: Callable[[Lag], Pacing],
) -> None:
    lag = Lag(0)
    pacing = paced(lag)
    assert pacing() == set()
    pacing.sent(8)
    assert pacing() == HELD
    assert lag.readings == 1


def test_a_broker_that_can_not_say_holds_nothing_and_is_left_alone_for_a_while(
    paced: Callable[[Lag], Pacing], clock: Clock
) -> None:
    lag = Lag(8)
    pacing = paced(lag)
    assert pacing() == HELD
    lag.lists = None
    clock.now += READING_SECONDS
    assert pacing() == set()
    clock.now += RETRY_SECONDS / 2
    assert pacing() == set()
    assert lag.readings == 2
    lag.lists = 9
    clock.now += RETRY_SECONDS / 2
    assert pacing() == HELD

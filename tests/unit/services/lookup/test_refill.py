"""What a gallery lacks is read again, however it was lost, and sightings wait meanwhile."""

import pytest

from services.lookup.refill import (
    ENROLMENTS,
    FEW,
    FIRST_PAUSE_SECONDS,
    NOTHING,
    PATIENCE_SECONDS,
    PROGRESS_SECONDS,
    SIGHTINGS,
    Refill,
)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def refill(clock: Clock) -> Refill:
    return Refill(empty=False, clock=clock)


def test_an_engine_with_nothing_in_it_is_filled_at_once_and_once(clock: Clock) -> None:
    refill = Refill(empty=True, clock=clock)
    assert [refill.rewind(), refill.rewind()] == [ENROLMENTS, NOTHING]


def test_a_gap_that_closes_by_itself_asks_for_nothing(refill: Refill, clock: Clock) -> None:
    refill.enrolled("m", "g", 2)
    clock.now += PATIENCE_SECONDS / 2
    assert (refill.rewind(), refill.hold()) == (NOTHING, NOTHING)
    refill.enrolled("m", "g", 0)
    clock.now += 2 * PATIENCE_SECONDS
    assert (refill.rewind(), refill.gaps) == (NOTHING, 0)


def test_a_gap_that_lasts_is_read_again_while_sightings_wait(refill: Refill, clock: Clock) -> None:
    refill.enrolled("m", "g", 500)
    assert refill.hold() == SIGHTINGS
    clock.now += PATIENCE_SECONDS + 1
    assert [refill.rewind(), refill.rewind()] == [ENROLMENTS, NOTHING]
    for missing in range(500, FEW, -100):
        clock.now += PROGRESS_SECONDS / 2
        refill.enrolled("m", "g", missing)
        assert refill.hold() == SIGHTINGS
    refill.enrolled("m", "g", 0)
    assert refill.hold() == NOTHING


def test_what_the_topic_has_no_more_holds_up_nobody_for_ever(
    refill: Refill, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    refill.enrolled("m", "g", 500)
    clock.now += PATIENCE_SECONDS + 1
    assert refill.rewind() == ENROLMENTS
    clock.now += PROGRESS_SECONDS + 1
    assert refill.hold() == NOTHING
    assert refill.rewind() == NOTHING
    assert "ledger rebuild" in caplog.text
    clock.now += FIRST_PAUSE_SECONDS
    assert refill.rewind() == ENROLMENTS
    clock.now += FIRST_PAUSE_SECONDS  # and ever less often
    assert refill.rewind() == NOTHING


def test_pauses_are_short_again_once_nothing_is_missing(refill: Refill, clock: Clock) -> None:
    for _ in range(3):
        refill.enrolled("m", "g", 500)
        clock.now += FIRST_PAUSE_SECONDS + PATIENCE_SECONDS + 1
        assert refill.rewind() == ENROLMENTS
        refill.enrolled("m", "g", 0)


def test_galleries_and_models_are_told_apart(refill: Refill) -> None:
    refill.enrolled("m", "g", 5)
    refill.enrolled("n", "g", 5)
    refill.enrolled("m", "h", 5)
    refill.enrolled("m", "g", 0)
    assert refill.gaps == 2

"""What stays in place while animals change is background; the animal never is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.matcher.background.background import (
    APART_SECONDS,
    OCCASIONS,
    TOLERANCE,
    Frame,
    animal,
)

DAY = 24 * 3600.0
BUSH, COAT = 6, 4


def _unit(rows: int, seed: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
    vectors = np.random.default_rng(seed).normal(size=(rows, 64))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(unit, dtype=np.float32)


def _frame(
    coat: int,
    taken: float | None,
    sequence: str = "",
    moved: float = 0.0,
    bush: int = 999,
) -> Frame:
    """One bush, always at its place, and an animal before it, always at the same place too."""
    places = np.random.default_rng(0).uniform(0.2, 0.8, (BUSH + COAT, 2)).astype(np.float32)
    descriptors = np.concatenate([_unit(BUSH, bush), _unit(COAT, coat)])
    return Frame(places + np.float32(moved), descriptors, sequence, taken)


def _visits(count: int) -> list[Frame]:
    """A visit a day, each of another animal."""
    return [_frame(coat=day + 1, taken=day * DAY) for day in range(count)]


def test_a_new_camera_knows_no_background() -> None:
    assert animal(_frame(coat=50, taken=0.0), []).all()


def test_what_was_in_place_on_other_days_is_background_and_the_animal_is_not() -> None:
    found = animal(_frame(coat=50, taken=9 * DAY), _visits(OCCASIONS))
    assert found.tolist() == [False] * BUSH + [True] * COAT


def test_one_other_occasion_is_not_enough() -> None:
    assert animal(_frame(coat=50, taken=9 * DAY), _visits(OCCASIONS - 1)).all()


def test_an_animal_that_comes_twice_is_no_background_the_second_time() -> None:
    memory = _visits(OCCASIONS)
    found = animal(_frame(coat=1, taken=9 * DAY), memory)
    assert found[BUSH:].all()


def test_an_animal_that_lies_still_through_a_burst_stays_an_animal() -> None:
    burst = [_frame(coat=1, taken=5.0 * second, sequence="burst") for second in range(30)]
    assert animal(burst[-1], burst[:-1]).all()


def test_the_burst_that_a_picture_is_of_is_no_other_occasion() -> None:
    burst = [_frame(coat=1, taken=9 * DAY + second, sequence="burst") for second in range(9)]
    before = _frame(coat=1, taken=0.0, sequence="before")
    assert animal(burst[-1], [before, *burst[:-1]]).all()


def test_an_animal_that_triggers_again_and_again_is_one_occasion() -> None:
    """Each picture is near in time to the one before, so all of them are one visit."""
    step = APART_SECONDS / 2
    naps = [_frame(coat=1, taken=step * i, sequence=f"nap-{i}") for i in range(9)]
    assert animal(_frame(coat=1, taken=DAY, sequence="later"), naps).all()


def test_a_sequence_that_lasts_for_long_is_one_occasion() -> None:
    long = [_frame(coat=1, taken=day * DAY, sequence="same") for day in range(4)]
    assert animal(_frame(coat=1, taken=9 * DAY, sequence="other"), long).all()


def test_without_times_sequences_tell_the_occasions() -> None:
    memory = [_frame(coat=i, taken=None, sequence=f"s{i}") for i in range(1, OCCASIONS + 1)]
    query = _frame(coat=50, taken=None, sequence="another")
    assert animal(query, memory).tolist() == [False] * BUSH + [True] * COAT


@pytest.mark.parametrize("sequence", ["", "known"])
def test_without_times_and_sequences_nothing_is_learnt(sequence: str) -> None:
    memory = [_frame(coat=i, taken=None) for i in range(1, 9)]
    assert animal(_frame(coat=50, taken=None, sequence=sequence), memory).all()


def test_a_camera_that_was_moved_sees_new_things() -> None:
    moved = _frame(coat=50, taken=9 * DAY, moved=2 * TOLERANCE)
    assert animal(moved, _visits(5)).all()


def test_a_camera_that_shook_a_little_is_where_it_was() -> None:
    shaken = _frame(coat=50, taken=9 * DAY, moved=TOLERANCE / 2)
    assert not animal(shaken, _visits(OCCASIONS))[:BUSH].any()


def test_a_bush_that_looks_otherwise_at_night_is_learnt_for_itself() -> None:
    night = [_frame(coat=i, taken=i * DAY, bush=7) for i in range(1, OCCASIONS + 1)]
    day = _visits(OCCASIONS)
    query = _frame(coat=50, taken=20 * DAY, bush=7)
    assert animal(query, day).all()
    assert not animal(query, [*day, *night])[:BUSH].any()


def test_pictures_without_keypoints_teach_nothing_and_are_taught_nothing() -> None:
    empty = Frame(np.zeros((0, 2), np.float32), np.zeros((0, 64), np.float32), "", 99 * DAY)
    assert animal(empty, _visits(3)).shape == (0,)
    assert animal(_frame(coat=50, taken=9 * DAY), [empty, *_visits(1)]).all()


@given(st.permutations(range(6)))
def test_the_order_of_the_memory_does_not_matter(order: list[int]) -> None:
    memory = [*_visits(3), *(_frame(coat=8, taken=5 * DAY + i * 2000.0) for i in range(3))]
    query = _frame(coat=8, taken=9 * DAY)
    expected = animal(query, memory)
    np.testing.assert_array_equal(animal(query, [memory[i] for i in order]), expected)

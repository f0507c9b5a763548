import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from services.registry.calibration.affinity import (
    BY_INDIVIDUAL,
    PAIR,
    STEPS,
    UNSUPPORTED,
    Affinity,
    PairTable,
    Steps,
    steps,
)
from services.registry.calibration.models import Linear
from services.registry.features.comparisons import COMPARED, Comparisons
from services.registry.features.evidence import ScoreStatistics


def linear(width: int, **weights: float) -> Linear:
    coefficients = [weights.get(f"x{index}", 0.0) for index in range(width)]
    return Linear(
        coefficients=tuple(coefficients), means=(0.0,) * width, scales=(1.0,) * width, intercept=0.0
    )


# Log-odds are the first feature of a comparison as it is.
BY_COSINE = linear(len(PAIR), **{f"x{len(BY_INDIVIDUAL)}": 1.0})


def stepped(found: dict[int, Comparisons]) -> Steps:
    return steps(PairTable(found), BY_COSINE, np.arange(len(found)))


def matrix(affinity: Affinity, found: dict[int, Comparisons]) -> NDArray[np.float64]:
    return affinity.matrix(PairTable(found), np.arange(len(found)))


def compared(numbers: list[int], log_odds: list[float]) -> Comparisons:
    rows = np.zeros((len(numbers), len(COMPARED)))
    rows[:, 0] = log_odds
    return Comparisons(np.array(numbers, dtype=np.int64), rows, ScoreStatistics.of(rows[:0]))


def lists(scale: float = 1.0, shift: float = 0.0) -> dict[int, Comparisons]:
    """20 sightings, each compared with all before it; the last two show one animal."""
    rng = np.random.default_rng(0)
    found = {}
    for number in range(1, 21):
        odds = rng.normal(-4, 1, number - 1)
        if number == 20:
            odds[-1] = 3
        found[number] = compared(list(range(1, number)), (odds * scale + shift).tolist())
    return found


def test_the_matrix_is_symmetric_and_empty_where_nothing_was_compared() -> None:
    found = matrix(
        Affinity(pair=BY_COSINE, against_lists=linear(len(STEPS), x0=1.0)),
        {1: compared([], []), 2: compared([1], [0.5]), 7: compared([2, 99], [1.5, 0.0])},
    )
    expected = np.array([[np.nan, 0.5, np.nan], [0.5, np.nan, 1.5], [np.nan, 1.5, np.nan]])
    assert np.allclose(found, expected, equal_nan=True)


def test_a_pair_stands_out_alike_where_all_evidence_is_weaker() -> None:
    strong, weak = stepped(lists()), stepped(lists(scale=0.5, shift=-2.0))
    assert strong.rows[-1, 0] - weak.rows[-1, 0] > 3
    assert weak.rows[:, 1:] == pytest.approx(strong.rows[:, 1:], abs=1e-6)
    assert strong.rows[-1, 1] > 4


def test_a_sighting_that_resembles_many_is_held_to_its_own_list() -> None:
    """Number 20 resembles all 19 before it, 21 none of them but the first."""
    found = lists()
    found[20] = compared(list(range(1, 20)), list(np.linspace(1.9, 2.1, 19)))
    found[21] = compared(list(range(1, 20)), [2.0, *np.linspace(-4.1, -3.9, 18)])
    left, right, rows, _ = stepped(found)
    to_first = {int(row): rows[at] for at, row in enumerate(left) if right[at] == 0}
    stricter = STEPS.index("above_stricter")
    assert to_first[20 - 1][stricter] < to_first[21 - 1][stricter] - 1


def test_a_pair_whose_matches_are_hardly_distinctive_speaks_for_nobody() -> None:
    compares = {1: compared([], []), 2: compared([1], [0.5]), 3: compared([1, 2], [-5.0, 4.0])}
    affinity = Affinity(pair=BY_COSINE, against_lists=linear(len(STEPS), x0=1.0), floor=0.8)
    found = matrix(affinity, compares)
    assert found[0, 1] == found[1, 2] == UNSUPPORTED
    assert found[0, 2] == -5.0
    assert matrix(affinity.model_copy(update={"floor": 0.0}), compares)[0, 1] == 0.5


def test_what_was_compared_outside_counts_for_the_middle() -> None:
    inside = {1: compared([], []), 2: compared([1], [0.0])}
    alone = stepped(inside).rows[0]
    others = list(range(100, 160))
    inside[2] = compared([1, *others], [0.0, *np.linspace(-6, -4, 60)])
    assert alone[1] == 0
    assert stepped(inside).rows[0, 1] > 4


def test_nothing_compared_is_an_empty_matrix() -> None:
    affinity = Affinity(pair=BY_COSINE, against_lists=linear(len(STEPS), x0=1.0))
    assert matrix(affinity, {}).shape == (0, 0)
    assert np.isnan(matrix(affinity, {1: compared([], []), 2: compared([9], [1.0])})).all()


def test_a_step_of_another_width_is_no_affinity() -> None:
    with pytest.raises(ValidationError, match="3 numbers instead of 4"):
        Affinity(pair=BY_COSINE, against_lists=linear(3))

"""Bootstrap intervals hold what they promise."""

import numpy as np
import pytest

from recognition.bootstrap import bootstrap_difference, bootstrap_interval


def test_the_interval_of_a_share_is_the_binomials() -> None:
    hits = np.arange(400) < 120
    found = bootstrap_interval(hits, seed=1)
    spread = 1.96 * np.sqrt(0.3 * 0.7 / 400)
    assert found.low == pytest.approx(0.3 - spread, abs=0.01)
    assert found.high == pytest.approx(0.3 + spread, abs=0.01)


def test_one_seed_gives_one_interval() -> None:
    values = np.random.default_rng(0).random(50)
    assert bootstrap_interval(values, seed=3) == bootstrap_interval(values, seed=3)
    assert bootstrap_interval(values, seed=3) != bootstrap_interval(values, seed=4)


def test_pairing_takes_out_what_is_hard_for_both() -> None:
    hard = np.random.default_rng(0).random(200)
    better, worse = hard + 0.02, hard
    paired = bootstrap_difference(better, worse, seed=0)
    assert paired.low == pytest.approx(0.02)
    assert paired.high == pytest.approx(0.02)
    assert bootstrap_interval(better, seed=0).low < bootstrap_interval(worse, seed=0).high


def test_a_difference_has_the_sign_of_the_first() -> None:
    some, none = np.ones(20), np.zeros(20)
    assert bootstrap_difference(some, none, seed=0).low == 1
    assert bootstrap_difference(none, some, seed=0).high == -1


def test_other_queries_can_not_be_paired() -> None:
    with pytest.raises(ValueError, match="not of the same queries"):
        bootstrap_difference([1, 0, 1], [1, 0], seed=0)


@pytest.mark.parametrize("values", [[], [1.0], [[1.0, 0.0], [0.0, 1.0]]])
def test_too_few_queries_are_refused(values: list[object]) -> None:
    with pytest.raises(ValueError, match="two queries"):
        bootstrap_interval(np.array(values), seed=0)

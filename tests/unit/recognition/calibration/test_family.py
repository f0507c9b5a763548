"""Fitting pairs: known curves come back, and the better family is taken."""

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import TypeAdapter

from recognition.calibration.bound import CalibrationError
from recognition.calibration.family import Fit, best_family, better, fit_both, held_out, log_loss
from recognition.calibration.isotonic import fit_isotonic
from recognition.calibration.logistic import fit_linear, fit_logistic
from recognition.calibration.pairs import Pairs, folds
from services.registry.calibration.models import Family, logit
from services.registry.features.evidence import FEATURES, SCORES

COUNT = len(FEATURES)


def _pairs(size: int, seed: int = 0) -> Pairs:
    """Pairs whose log-odds are 2 · (first feature - 3) - 1; the others say nothing."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(3.0, 2.0, size=(size, COUNT))
    rows[:, -1] = 1.0
    odds = 1 / (1 + np.exp(-(2 * (rows[:, 0] - 3.0) - 1)))
    return Pairs(rows, rng.random(size) < odds, np.arange(size) % 5)


def _plateaus(size: int) -> Pairs:
    """Pairs of which every score tells the same by three steps: no straight line in log-odds."""
    rng = np.random.default_rng(0)
    score = rng.uniform(0, 9, size)
    labels = rng.random(size) < np.select([score < 1, score < 8], [0.001, 0.2], 0.999)
    rows = np.column_stack([np.repeat(score[:, None], len(SCORES), axis=1), np.ones((size, 2))])
    return Pairs(rows, labels, np.arange(size) % 5)


def test_scores_that_differ_by_rounding_alone_are_one_level() -> None:
    """The mean of many equal scores may lie above the next higher one."""
    count = 30_000
    rows = np.zeros((count + 2, COUNT))
    rows[:, 0] = [*[0.1] * count, 0.1 + 3e-15, 0.5]
    labels = np.array([*[False] * count, True, True])
    fitted = fit_isotonic(Pairs(rows, labels, np.arange(len(rows)) % 2)).scores[0]
    assert fitted.at == pytest.approx((0.1, 0.5))


def test_a_logistic_fit_finds_the_curve_that_made_the_pairs() -> None:
    curve = fit_logistic(_pairs(20_000))
    probe = np.full((3, COUNT), 3.0)
    probe[:, -1] = 1.0
    probe[:, 0] = [2.5, 3.5, 4.5]
    expected = 1 / (1 + np.exp(-(2 * (probe[:, 0] - 3) - 1)))
    assert curve.probabilities(probe) == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("fit", [fit_logistic, fit_isotonic])
def test_fitted_probabilities_are_as_frequent_as_they_say(fit: Fit) -> None:
    pairs = _pairs(5_000)
    found = fit(pairs).probabilities(pairs.features)
    assert found.mean() == pytest.approx(pairs.labels.mean(), abs=1e-3)


def test_a_feature_that_never_varies_does_not_count() -> None:
    assert fit_logistic(_pairs(500)).coefficients[-1] == 0.0


def test_what_is_alike_never_speaks_against_one_animal_unless_it_may() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(4000, 2))
    labels = rng.random(4000) < 1 / (1 + np.exp(-(2 * rows[:, 0] - 1.5 * rows[:, 1])))
    assert fit_linear(rows, labels).coefficients[1] == 0.0
    free = fit_linear(rows, labels, either_way=[1])
    assert free.coefficients == pytest.approx((2.0, -1.5), abs=0.15)


def test_what_weighs_more_counts_more() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(2000, 1))
    labels = rng.random(2000) < 1 / (1 + np.exp(-2 * rows[:, 0]))
    noise = rng.random(2000) < 0.5
    mixed = np.concatenate([labels, noise])
    twice = np.concatenate([rows, rows])
    weights = np.repeat([1.9, 0.1], 2000)
    alike = fit_linear(twice, mixed).coefficients[0]
    assert fit_linear(twice, mixed, weights).coefficients[0] > 1.3 * alike


def test_separable_pairs_have_a_finite_curve() -> None:
    rows = _pairs(200).features
    labels: NDArray[np.bool_] = rows[:, 0] > 3
    curve = fit_logistic(Pairs(rows, labels, np.zeros(200, int)), penalty=0.01)
    assert np.isfinite(curve.coefficients).all()
    assert ((curve.probabilities(rows) > 0.5) == labels).all()


def test_isotonic_curves_rise_and_keep_candidates_apart_that_a_step_would_tie() -> None:
    pairs = _pairs(5_000)
    knots = fit_isotonic(pairs).scores[0]
    assert (np.diff(knots.probability) >= 0).all()
    inside = np.linspace(knots.at[0], knots.at[-1], 200)
    assert (np.diff(knots.probabilities(inside)) > 0).mean() > 0.9
    assert 0 < knots.probability[0] < knots.probability[-1] < 1


def test_the_family_that_foretells_better_is_taken() -> None:
    assert best_family(_pairs(3_000)) is fit_logistic
    assert best_family(_plateaus(3_000)) is fit_isotonic


@pytest.mark.parametrize(
    ("gains", "taken"),
    [
        ([0.03, 0.02, 0.03], True),
        # Better on three data sets and in the mean, and worse where it counts most.
        ([0.03, 0.02, 0.002, -0.04], False),
        ([-0.01, -0.01, -0.01], False),
        ([0.0, 0.0, 0.0], False),
        ([0.5], False),
    ],
)
def test_a_family_that_bends_more_must_be_better_beyond_the_luck_of_the_folds(
    gains: list[float], taken: bool
) -> None:
    least = np.full(len(gains), 0.2)
    assert better(least - np.array(gains), least) is taken


def test_both_families_are_taken_where_each_misses_what_the_other_sees() -> None:
    """One score tells evenly, and all the others by steps."""
    rng = np.random.default_rng(0)
    even, score = rng.normal(size=4_000), rng.uniform(0, 9, 4_000)
    odds = even + np.select([score < 1, score < 8], [-7.0, -1.0], 5.0)
    labels = rng.random(4_000) < 1 / (1 + np.exp(-odds))
    others = np.repeat(score[:, None], len(SCORES) - 1, axis=1)
    rows = np.column_stack([even, others, np.ones((4_000, 2))])
    assert best_family(Pairs(rows, labels, np.arange(4_000) % 5)) is fit_both


def test_both_families_together_say_what_lies_between_them_and_keep_it_in_a_file() -> None:
    pairs = _plateaus(1_000)
    both = fit_both(pairs)
    odds = [
        logit(part.probabilities(pairs.features)) for part in (both.logistic, both.isotonic, both)
    ]
    assert odds[2] == pytest.approx((odds[0] + odds[1]) / 2)
    again = TypeAdapter(Family).validate_json(both.model_dump_json())
    assert again == both


def test_held_out_probabilities_come_from_the_other_folds() -> None:
    pairs = _pairs(1_000)
    flipped = Pairs(pairs.features, pairs.labels ^ (pairs.folds == 0), pairs.folds)
    out = pairs.folds == 0
    assert held_out(flipped, fit_logistic)[out] == pytest.approx(held_out(pairs, fit_logistic)[out])


def test_a_perfect_forecast_has_no_loss() -> None:
    truth = np.array([True, False])
    assert log_loss(truth.astype(float), truth) == pytest.approx(0, abs=1e-9)
    assert log_loss(np.array([0.5, 0.5]), truth) == pytest.approx(np.log(2))


@pytest.mark.parametrize("labels", [np.zeros(10, bool), np.ones(10, bool)])
def test_one_class_alone_is_refused(labels: NDArray[np.bool_]) -> None:
    with pytest.raises(CalibrationError, match="of 10 pairs show the same"):
        best_family(Pairs(np.ones((10, COUNT)), labels, np.zeros(10, int)))


def test_all_of_an_animal_is_in_one_fold_and_folds_are_even() -> None:
    dealt = folds([f"nyala/{n % 20}" for n in range(100)])
    assert len(dealt) == 20
    assert np.bincount(list(dealt.values())).tolist() == [4] * 5
    assert set(folds(["a", "b"]).values()) == {0, 1}

"""Fitting: known curves come back, thresholds keep their promise, files round-trip."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.calibration import RankedQuery, cuts, fit, write
from services.registry.calibration import Calibration, Curve, load
from services.registry.evidence import FEATURES

COUNT = len(FEATURES)


def _pairs(size: int, slope: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    """Pairs whose log-odds are `slope` x first feature - 1; the other features say nothing."""
    rng = np.random.default_rng(0)
    rows = rng.normal(3.0, 2.0, size=(size, COUNT))
    rows[:, -1] = 1.0
    odds = 1 / (1 + np.exp(-(slope * (rows[:, 0] - 3.0) - 1)))
    return rows, rng.random(size) < odds


def _curve(rows: np.ndarray, labels: np.ndarray, penalty: float = 1.0) -> Curve:
    return Curve(
        **asdict(fit(rows, labels, penalty)),
        known=0.9,
        new=0.1,
        fitted_on="a test",
        pairs=len(rows),
        queries=0,
    )


def test_a_fit_finds_the_curve_that_made_the_pairs() -> None:
    rows, labels = _pairs(20_000)
    curve = _curve(rows, labels)
    probe = np.full((3, COUNT), 3.0)
    probe[:, -1] = 1.0
    probe[:, 0] = [2.5, 3.5, 4.5]
    expected = 1 / (1 + np.exp(-(2 * (probe[:, 0] - 3) - 1)))
    assert curve.probabilities(probe) == pytest.approx(expected, abs=0.02)


def test_fitted_probabilities_are_as_frequent_as_they_say() -> None:
    rows, labels = _pairs(5_000)
    found = _curve(rows, labels).probabilities(rows)
    assert found.mean() == pytest.approx(labels.mean(), abs=1e-6)


def test_a_feature_that_never_varies_does_not_count() -> None:
    rows, labels = _pairs(500)
    assert fit(rows, labels).coefficients[-1] == 0.0


def test_separable_pairs_have_a_finite_curve() -> None:
    rows, _ = _pairs(200)
    curve = _curve(rows, rows[:, 0] > 3, penalty=0.01)
    assert np.isfinite(curve.coefficients).all()
    assert ((curve.probabilities(rows) > 0.5) == (rows[:, 0] > 3)).all()


@pytest.mark.parametrize("labels", [np.zeros(10, bool), np.ones(10, bool)])
def test_one_class_alone_is_refused(labels: np.ndarray) -> None:
    with pytest.raises(ValueError, match="pairs of different ones"):
        fit(np.ones((10, COUNT)), labels)


def test_shapes_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValueError, match="do not match"):
        fit(np.ones((10, COUNT)), np.ones(9, bool))


def test_numbers_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="not finite"):
        fit(np.full((2, COUNT), np.nan), np.array([True, False]))


def _query(probability: float, truth: str) -> RankedQuery:
    return RankedQuery(probability, known=truth != "new", right=truth == "right")


def test_thresholds_lie_where_the_errors_begin() -> None:
    queries = [
        _query(0.95, "right"),
        _query(0.9, "right"),
        _query(0.8, "wrong"),
        _query(0.5, "right"),
        _query(0.2, "new"),
        _query(0.1, "new"),
    ]
    strict = cuts([queries], 0.0, 0.0)
    assert strict.known == 0.9
    assert strict.new == 0.5
    loose = cuts([[*queries, *[_query(0.97, "right")] * 10]], 0.34, 0.05)
    assert loose.known == 0.5
    assert loose.new == 0.5


def test_where_no_threshold_will_do_nothing_is_known() -> None:
    hopeless = cuts([[_query(0.9, "wrong"), _query(0.1, "wrong")]], 0.0, 0.0)
    assert (hopeless.known, hopeless.new) == (1.0, 0.1)


def test_every_species_counts_alike_however_many_pictures_it_has() -> None:
    faint = [_query(0.1, "right") for _ in range(90)]
    bold = [_query(0.8, "right") for _ in range(10)]
    wrong = [_query(0.7, "new")]
    assert cuts([faint, bold, wrong], 0.0, 0.4).new == 0.8
    assert cuts([[*faint, *bold, *wrong]], 0.0, 0.4).new == 0.1


def test_nothing_is_called_known_where_most_of_it_would_be_wrong() -> None:
    chance = [_query(0.3, "wrong") for _ in range(98)] + [_query(0.9, "new"), _query(0.8, "right")]
    assert cuts([chance], 0.02, 0.0).known == 1.0


def test_without_queries_there_are_no_thresholds() -> None:
    with pytest.raises(ValueError, match="need queries"):
        cuts([[]], 0.0, 0.0)


@given(
    st.lists(
        st.builds(_query, st.floats(0, 1), st.sampled_from(["right", "wrong", "new"])), min_size=1
    ),
    st.floats(0, 0.5),
    st.floats(0, 0.5),
)
def test_on_the_queries_of_the_fit_the_shares_hold(
    queries: list[RankedQuery], false_known: float, false_new: float
) -> None:
    found = cuts([queries], false_known, false_new)
    assert 0 <= found.new <= found.known <= 1
    wrong = [query.probability for query in queries if not query.right]
    enrolled = [query.probability for query in queries if query.known]
    if found.known < 1:
        assert sum(each >= found.known for each in wrong) <= false_known * len(wrong) + 1e-9
    assert sum(each < found.new for each in enrolled) <= false_new * len(enrolled) + 1e-9


def test_what_is_written_is_what_is_loaded(tmp_path: Path) -> None:
    rows, labels = _pairs(500)
    curve = _curve(rows, labels)
    calibration = Calibration(name="a", version="2", pooled=curve, species={"nyala": curve})
    write(calibration, tmp_path / "calibration.json")
    assert load(tmp_path / "calibration.json") == calibration

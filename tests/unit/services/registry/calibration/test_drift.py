"""Drift: when does the evidence no longer look like the calibration's?"""

import logging

import numpy as np
import pytest
from prometheus_client import REGISTRY

from services.registry import metrics
from services.registry.calibration.drift import MIN_SIGHTINGS, DriftWatch, Histogram, stability

EDGES = [round(0.1 * step, 1) for step in range(1, 10)]


def _drawn(count: int, shape: tuple[float, float] = (1, 1), seed: int = 0) -> list[float]:
    return list(np.random.default_rng(seed).beta(*shape, size=count))


BASELINE = Histogram.of(_drawn(5000), EDGES)


def _gauge() -> float | None:
    return REGISTRY.get_sample_value("resight_registry_calibration_drift")


def test_the_index_is_zero_for_the_same_and_small_for_another_sample() -> None:
    assert stability(BASELINE, BASELINE) == 0
    assert 0 < stability(BASELINE, Histogram.of(_drawn(500, seed=1), EDGES)) < 0.1


def test_a_shifted_distribution_asks_for_a_new_fit() -> None:
    assert stability(BASELINE, Histogram.of(_drawn(500, (1, 3), seed=1), EDGES)) > 0.25


def test_the_index_is_the_sum_over_the_bins() -> None:
    before, now = (
        Histogram(edges=(0.5,), shares=(0.5, 0.5)),
        Histogram(edges=(0.5,), shares=(0.2, 0.8)),
    )
    expected = -0.3 * np.log(0.4) + 0.3 * np.log(1.6)
    assert stability(before, now) == pytest.approx(expected)


def test_an_edge_belongs_to_the_bin_above_and_an_empty_bin_is_not_zero() -> None:
    found = Histogram.of([0.5, 0.9], [0.5])
    assert found.shares == pytest.approx((0.5 / 3, 2.5 / 3))


def test_few_queries_report_nothing() -> None:
    metrics.DRIFT.set(7)
    watch = DriftWatch(500)
    for probability in _drawn(MIN_SIGHTINGS - 1):
        watch.saw("few/nyala", probability, BASELINE)
    assert _gauge() == 7


def test_a_gallery_that_has_moved_away_is_reported_and_warned_about_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    watch = DriftWatch(500)
    with caplog.at_level(logging.WARNING):
        for moved, still in zip(_drawn(600, (1, 4)), _drawn(600), strict=True):
            watch.saw("moved/nyala", moved, BASELINE)
            watch.saw("still/nyala", still, BASELINE)
    assert (_gauge() or 0) > 0.25
    (record,) = caplog.records
    assert "moved/nyala" in record.getMessage()


def test_only_the_latest_count() -> None:
    watch = DriftWatch(300)
    for probability in [*_drawn(300, (1, 4)), *_drawn(300)]:
        watch.saw("back/nyala", probability, BASELINE)
    assert (_gauge() or 1) < 0.1

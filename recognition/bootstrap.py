"""Bootstrap intervals: how much a figure varies with the choice of queries."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import bootstrap

LEVEL = 0.95
ROUNDS = 2000
# Resamples per batch: bounds memory only.
_BLOCK = 100


@dataclass(frozen=True)
class Interval:
    """Bounds of a confidence interval."""

    low: float
    high: float


def bootstrap_interval(values: ArrayLike, seed: int) -> Interval:
    """Return the 95 % percentile-bootstrap interval of the mean over the queries.

    `values` [Q]: one number per query, such as "right at rank 1" or its average precision. Queries
    are resampled with replacement 2,000 times (Efron & Tibshirani, An Introduction to the
    Bootstrap, 13.3). They count as independent; if an animal's queries fail together, the true
    interval is wider.

    Raises:
        ValueError: fewer than two queries, or values that are not one number per query.
    """
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.ndim != 1 or len(numbers) < 2:
        raise ValueError(
            f"an interval needs at least two queries, not values of shape {numbers.shape}"
        )
    found = bootstrap(
        (numbers,),
        np.mean,
        n_resamples=ROUNDS,
        batch=_BLOCK,
        confidence_level=LEVEL,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Interval(float(found.low), float(found.high))


def bootstrap_difference(first: ArrayLike, second: ArrayLike, seed: int) -> Interval:
    """Return the 95 % interval of mean(first) - mean(second) on the same queries [Q].

    Paired: both are resampled with the same queries, so difficulties of both cancel. If 0 is
        outside, they differ significantly.

    Raises:
        ValueError: the queries are not the same, or fewer than two.
    """
    one, other = (np.asarray(values, dtype=np.float64) for values in (first, second))
    if one.shape != other.shape:
        raise ValueError(f"values of {one.shape} and {other.shape} are not of the same queries")
    return bootstrap_interval(one - other, seed)

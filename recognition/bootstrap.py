"""How much a figure would have moved with other queries: bootstrap intervals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import bootstrap

LEVEL = 0.95
ROUNDS = 2000
# Resamples drawn at a time: bounds the memory, changes nothing else.
_BLOCK = 100


@dataclass(frozen=True)
class Interval:
    """Both ends of a confidence interval."""

    low: float
    high: float


def bootstrap_interval(values: ArrayLike, seed: int) -> Interval:
    """Return the 95 % percentile-bootstrap interval of the mean over the queries.

    `values` [Q]: one number for each query, such as "right at rank 1" or its average
    precision. Queries are drawn with replacement, 2,000 times (Efron & Tibshirani, An
    Introduction to the Bootstrap, 13.3). They count as independent; where an animal has
    many queries that fail together, the true interval is wider.

    Raises:
        ValueError: fewer than two queries, or values that are not one number a query.
    """
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.ndim != 1 or len(numbers) < 2:
        raise ValueError(f"an interval needs two queries or more, not values of {numbers.shape}")
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

    Paired: both pipelines are drawn with the same queries, so what is hard for both
    cancels. If 0 lies outside, they differ.

    Raises:
        ValueError: the two have not the same queries, or fewer than two.
    """
    one, other = (np.asarray(values, dtype=np.float64) for values in (first, second))
    if one.shape != other.shape:
        raise ValueError(f"values of {one.shape} and {other.shape} are not of the same queries")
    return bootstrap_interval(one - other, seed)

"""Logistic regression on the features of pairs, or on other rows."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from recognition.calibration.pairs import Pairs
from services.registry.calibration.models import Linear, Logistic

PENALTY = 1.0


def fit_logistic(pairs: Pairs, penalty: float = PENALTY) -> Logistic:
    """Return the logistic regression of the labels on the features of pairs.

    Without the sign constraint: with it, 20 % of new zebras were called known by a curve of other
        species.
    """
    every = range(pairs.features.shape[1])
    found = fit_linear(pairs.features, pairs.labels, penalty=penalty, either_way=every)
    return Logistic(**found.model_dump())


def fit_linear(
    rows: NDArray[np.float64],
    labels: NDArray[np.bool_],
    weights: NDArray[np.float64] | None = None,
    penalty: float = PENALTY,
    either_way: Collection[int] = (),
) -> Linear:
    """Return the log-odds of the labels [N] as a weighted sum of the standardised rows [N, F].

    Similarity never counts against identity, on any species: coefficients are non-negative, except
    for the columns in `either_way`. Otherwise a curve may learn from some animals that similar
    pictures show different ones (synthetic animals, whose backgrounds are similar), and fails on
    animals recognised by their looks. An L2 `penalty` on the coefficients, not the intercept, keeps
    separable rows finite. A constant feature counts 0. `weights` [N] of the rows should be about 1,
    because they weigh against the penalty.
    """
    counts = np.ones(len(labels)) if weights is None else weights
    means = np.average(rows, axis=0, weights=counts)
    spread = np.sqrt(np.average((rows - means) ** 2, axis=0, weights=counts))
    scales = np.where(spread > 0, spread, 1.0)
    standard = (rows - means) / scales
    total = counts.sum()

    def loss(point: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        coefficients, log_odds = point[:-1], standard @ point[:-1] + point[-1]
        missed = counts @ (np.logaddexp(0.0, log_odds) - labels * log_odds)
        wrong = counts * (expit(log_odds) - labels)
        slope = np.append(wrong @ standard + penalty * coefficients, wrong.sum())
        return (missed + penalty / 2 * coefficients @ coefficients) / total, slope / total

    width = rows.shape[1]
    least = [None if column in either_way else 0.0 for column in range(width)]
    found = minimize(
        loss,
        np.zeros(width + 1),
        jac=True,
        method="L-BFGS-B",
        bounds=[*((low, None) for low in least), (None, None)],
        options={"maxiter": 1000, "ftol": 1e-12, "gtol": 1e-8},
    )
    return Linear(
        coefficients=tuple(found.x[:-1].tolist()),
        means=tuple(means.tolist()),
        scales=tuple(scales.tolist()),
        intercept=float(found.x[-1]),
    )

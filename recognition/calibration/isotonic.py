"""Isotonic regression of each score, then their mean."""

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from recognition.calibration.pairs import Pairs
from services.registry.calibration.models import Isotonic, Knots, logit, mean
from services.registry.features.evidence import SCORES

# The mean of increasing curves increases, so its log-odds are never reversed.
LEAST_SLOPE = 0.01


def fit_isotonic(pairs: Pairs) -> Isotonic:
    """Return the isotonic curve of each score, and how their mean becomes a probability."""
    scores = tuple(_knots(pairs.features[:, index], pairs.labels) for index, _ in enumerate(SCORES))
    log_odds = logit(mean(scores, pairs.features))[:, None]
    model = LogisticRegression(solver="newton-cholesky", tol=1e-8).fit(log_odds, pairs.labels)
    return Isotonic(
        scores=scores,
        slope=max(LEAST_SLOPE, float(model.coef_[0, 0])),
        intercept=float(model.intercept_[0]),
    )


def _knots(scores: NDArray[np.float64], labels: NDArray[np.bool_]) -> Knots:
    """Return one knot per level of the isotonic regression, at its pairs' mean score.

    Between the centres the curve increases, so that candidates in one level keep their order:
    centred isotonic regression, Oron and Flournoy, 2017. A level's share is (k + 1/2) / (n + 1),
    because no finite number of pairs proves a probability of 0 or 1.
    """
    scores = np.round(scores, 9)  # means of scores that differ by rounding only may not increase
    levels = IsotonicRegression().fit_transform(scores, labels.astype(np.float64))
    _, level, size = np.unique(levels, return_inverse=True, return_counts=True)
    same = np.bincount(level, weights=labels)
    # The added half pair can reverse small levels beside large ones.
    shares = np.maximum.accumulate((same + 0.5) / (size + 1))
    centres = np.bincount(level, weights=scores) / size
    return Knots(at=tuple(centres.tolist()), probability=tuple(shares.tolist()))

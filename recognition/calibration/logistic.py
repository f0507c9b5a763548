"""One logistic regression: of the features of pairs, or of other rows."""

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from recognition.calibration.pairs import Pairs
from services.registry.families import Linear, Logistic

PENALTY = 1.0


def fit_logistic(pairs: Pairs, penalty: float = PENALTY) -> Logistic:
    """Return the logistic regression of the labels on the features of pairs."""
    return Logistic(**fit_linear(pairs.features, pairs.labels, penalty=penalty).model_dump())


def fit_linear(
    rows: NDArray[np.float64],
    labels: NDArray[np.bool_],
    weights: NDArray[np.float64] | None = None,
    penalty: float = PENALTY,
) -> Linear:
    """Return the log-odds of the labels [N] as a weighted sum of the standardised rows [N, F].

    With the L2 `penalty` on the coefficients but not on the intercept, so that
    separable rows have a finite answer. A feature that never varies counts 0. `weights` [N]: how
    much each row counts; they should be about 1, as they weigh against the penalty.
    """
    means = np.average(rows, axis=0, weights=weights)
    spread = np.sqrt(np.average((rows - means) ** 2, axis=0, weights=weights))
    scales = np.where(spread > 0, spread, 1.0)
    model = LogisticRegression(C=1 / penalty, solver="newton-cholesky", tol=1e-8)
    model.fit((rows - means) / scales, labels, sample_weight=weights)
    return Linear(
        coefficients=tuple(model.coef_[0].tolist()),
        means=tuple(means.tolist()),
        scales=tuple(scales.tolist()),
        intercept=float(model.intercept_[0]),
    )

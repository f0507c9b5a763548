"""One logistic regression over all features."""

import numpy as np
from sklearn.linear_model import LogisticRegression

from recognition.calibration.pairs import Pairs
from services.registry.families import Logistic

PENALTY = 1.0


def fit_logistic(pairs: Pairs, penalty: float = PENALTY) -> Logistic:
    """Return the logistic regression of the labels on the standardised features.

    With the L2 `penalty` on the coefficients but not on the intercept, so that
    separable pairs have a finite answer. A feature that never varies counts 0.
    """
    means = pairs.features.mean(axis=0)
    spread = pairs.features.std(axis=0)
    scales = np.where(spread > 0, spread, 1.0)
    model = LogisticRegression(C=1 / penalty, solver="newton-cholesky", tol=1e-8)
    model.fit((pairs.features - means) / scales, pairs.labels)
    return Logistic(
        coefficients=tuple(model.coef_[0].tolist()),
        means=tuple(means.tolist()),
        scales=tuple(scales.tolist()),
        intercept=float(model.intercept_[0]),
    )

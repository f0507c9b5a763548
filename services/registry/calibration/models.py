"""Models from a pair's features to P(same individual); a curve has one of them."""

import logging
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.registry.features.evidence import FEATURES, SCORES

log = logging.getLogger(__name__)

Probability = Annotated[float, Field(ge=0, le=1)]
OpenUnitInterval = Annotated[float, Field(gt=0, lt=1)]


class CalibrationModel(BaseModel):
    """A part of the calibration file: frozen, finite, without unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    # Former names of fields, still read.
    renamed_fields: ClassVar[Mapping[str, str]] = {}

    @model_validator(mode="before")
    @classmethod
    def _accept_old_names(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        for old in cls.renamed_fields.keys() & given.keys():
            log.warning(
                "calibration field %s is now %s; calibrate again", old, cls.renamed_fields[old]
            )
        return {cls.renamed_fields.get(name, name): value for name, value in given.items()}


class Linear(CalibrationModel):
    """Log-odds as a weighted sum of standardised features.

    Log-odds = intercept + Σ coefficients · (x - means) / scales.
    """

    coefficients: tuple[float, ...]
    means: tuple[float, ...]
    scales: tuple[Annotated[float, Field(gt=0)], ...]
    intercept: float

    @model_validator(mode="after")
    def _complete(self) -> Self:
        return self.of_width(len(self.coefficients))

    def of_width(self, count: int) -> Self:
        """Return itself if it has this many weights; raises ValueError otherwise."""
        for name in ("coefficients", "means", "scales"):
            given = len(getattr(self, name))
            if given != count:
                raise ValueError(f"{name} has {given} numbers instead of {count}")
        return self

    def log_odds(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the log-odds of each row [N, F], float64 [N]."""
        slopes, constant = _sum(self.coefficients, self.means, self.scales, self.intercept)
        return np.asarray(constant + rows @ slopes)


@lru_cache(maxsize=64)
def _sum(
    coefficients: tuple[float, ...],
    means: tuple[float, ...],
    scales: tuple[float, ...],
    intercept: float,
) -> tuple[NDArray[np.float64], float]:
    """Return the same as a plain weighted sum: weights [F], and what is added to it."""
    slopes = np.array(coefficients) / np.array(scales)
    return slopes, intercept - float(slopes @ np.array(means))


class Logistic(Linear):
    """One logistic regression over all features."""

    kind: Literal["logistic"] = "logistic"

    @model_validator(mode="after")
    def _complete(self) -> Self:
        return self.of_width(len(FEATURES))

    def probabilities(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of each row of features [N, F], float64 [N]."""
        return sigmoid(self.log_odds(features))


class Knots(CalibrationModel):
    """A monotonic piecewise-linear function, constant beyond the ends."""

    at: Annotated[tuple[float, ...], Field(min_length=1)]
    probability: tuple[OpenUnitInterval, ...]

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if len(self.at) != len(self.probability):
            raise ValueError(f"{len(self.at)} points have {len(self.probability)} probabilities")
        if (np.diff(self.at) <= 0).any() or (np.diff(self.probability) < 0).any():
            raise ValueError("points must increase")
        return self

    def probabilities(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability at each score, float64 of the same shape."""
        return np.interp(scores, self.at, self.probability)


class Isotonic(CalibrationModel):
    """Each score calibrated separately, then averaged, as in WildFusion.

    Čermák et al., WildFusion: Individual Animal Identification with Calibrated Similarity Fusion,
    2024. Larger scores mean more similar pictures. An average is underconfident, so its log-odds
    are rescaled by `slope` and `intercept` (Platt), which keeps the order.
    """

    kind: Literal["isotonic"] = "isotonic"
    scores: tuple[Knots, ...]
    slope: Annotated[float, Field(gt=0)]
    intercept: float

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if len(self.scores) != len(SCORES):
            raise ValueError(f"scores has {len(self.scores)} curves instead of {len(SCORES)}")
        return self

    def probabilities(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of each row of features [N, F], float64 [N]."""
        return sigmoid(self.intercept + self.slope * logit(mean(self.scores, features)))


class Both(CalibrationModel):
    """Both combined: the mean of their log-odds (a logarithmic opinion pool).

    Which is better on an unseen species is not known beforehand. With each of five data sets left
    out, the mean log loss was lowest for the combination.
    """

    kind: Literal["both"] = "both"
    logistic: Logistic
    isotonic: Isotonic

    def probabilities(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability of each row of features [N, F], float64 [N]."""
        each = [part.probabilities(features) for part in (self.logistic, self.isotonic)]
        return sigmoid(np.mean(logit(np.array(each)), axis=0))


Family = Annotated[Logistic | Isotonic | Both, Field(discriminator="kind")]


def mean(scores: tuple[Knots, ...], features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of the calibrated scores, float64 [N]."""
    each = [knots.probabilities(features[:, index]) for index, knots in enumerate(scores)]
    return np.asarray(np.mean(each, axis=0))


def sigmoid(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 / (1 + exp(-x)), without overflow."""
    return np.asarray(0.5 * (1 + np.tanh(log_odds / 2)))


def logit(probabilities: NDArray[np.float64], limit: float = 30.0) -> NDArray[np.float64]:
    """Return the log-odds of probabilities, clipped to ± `limit`."""
    with np.errstate(divide="ignore"):
        odds = np.log(probabilities) - np.log1p(-probabilities)
    return np.asarray(np.clip(odds, -limit, limit))

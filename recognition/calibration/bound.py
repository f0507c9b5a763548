"""The error rates that a user accepts, and their exact binomial bounds."""

import math
from dataclasses import dataclass

from scipy.special import betaincinv

from shared.errors import ResightError


class CalibrationError(ResightError):
    """The labelled pictures do not suffice; the text says for what they do."""


@dataclass(frozen=True)
class RiskLevels:
    """Accepted error rates, with their common confidence.

    false_known: share of new animals called known, and of known animals with the wrong name
    false_new: share of known animals called new
    """

    false_known: float = 0.02
    false_new: float = 0.3
    confidence: float = 0.95


def upper_bound(errors: int, count: int, confidence: float) -> float:
    """Return the one-sided upper confidence bound of an error rate.

    Clopper and Pearson, The use of confidence or fiducial limits illustrated in the case of the
    binomial, 1934. The `count` trials are independent.
    """
    if errors >= count:
        return 1.0
    return float(betaincinv(errors + 1, count - errors, confidence))


def needed(error: float, confidence: float) -> int:
    """Return how many independent trials without error bound the rate by `error`."""
    return math.ceil(math.log(1 - confidence) / math.log(1 - error))


def supported(count: int, confidence: float) -> float:
    """Return the lowest rate that `count` independent trials without error support."""
    return 1.0 if not count else 1 - (1 - confidence) ** (1 / count)

"""How often an error may really happen that was seen so often: exact binomial bounds."""

import math

from scipy.special import betaincinv

from shared.errors import ResightError


class CalibrationError(ResightError):
    """The labelled pictures do not suffice for what was asked; the text says for what they do."""


def upper_bound(errors: int, count: int, confidence: float) -> float:
    """Return the rate that the true one exceeds with probability 1 - `confidence` at most.

    One-sided and exact: Clopper and Pearson, The use of confidence or fiducial limits
    illustrated in the case of the binomial, 1934. The `count` trials are independent.
    """
    if errors >= count:
        return 1.0
    return float(betaincinv(errors + 1, count - errors, confidence))


def needed(error: float, confidence: float) -> int:
    """Return how many independent trials without any error bound the rate by `error`."""
    return math.ceil(math.log(1 - confidence) / math.log(1 - error))


def supported(count: int, confidence: float) -> float:
    """Return the least rate that `count` independent trials can bound, if none fails."""
    return 1.0 if not count else 1 - (1 - confidence) ** (1 / count)

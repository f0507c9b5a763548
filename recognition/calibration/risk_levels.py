"""The error rates that a user accepts."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RiskLevels:
    """Accepted error rates, with their common confidence.

    false_known: share of new animals called known, and of known animals with the wrong name
    false_new: share of known animals called new
    """

    false_known: float = 0.02
    false_new: float = 0.3
    confidence: float = 0.95

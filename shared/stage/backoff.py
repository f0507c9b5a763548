"""Exponential back-off with full jitter.

Full jitter spreads the attempts of many replicas best:
https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
"""

from dataclasses import dataclass

# 2 to this power is past any limit, and still a float.
MAX_DOUBLINGS = 32


@dataclass(frozen=True)
class Backoff:
    """Pauses of at most `first` seconds, then twice as long each time, up to `limit`."""

    first: float
    limit: float

    def ceiling(self, attempt: int) -> float:
        """Return the longest pause, in seconds, after failed attempt 0, 1, …."""
        return min(self.limit, self.first * 2.0 ** min(attempt, MAX_DOUBLINGS))

    def delay(self, attempt: int, chance: float) -> float:
        """Return the pause after `attempt` for a random `chance` in [0, 1)."""
        return self.ceiling(attempt) * chance

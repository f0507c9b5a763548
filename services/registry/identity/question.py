"""An open question: are two individuals the same animal?"""

import math
from dataclasses import dataclass

# From this probability on, both individuals are tentative.
SERIOUS = 0.15


@dataclass(frozen=True)
class Question:
    """Two individuals that may be one: log-odds, and the most similar pair of sightings."""

    one: str
    other: str
    log_odds: float
    sighting_of_one: str
    sighting_of_other: str

    @property
    def probability(self) -> float:
        """Return the probability that the two are one."""
        return 1 / (1 + math.exp(-self.log_odds))

    @property
    def serious(self) -> bool:
        """Return whether it makes both tentative; less likely questions are asked too."""
        return self.probability >= SERIOUS

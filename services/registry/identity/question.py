"""An open question: are two individuals the same animal?"""

import math
from dataclasses import dataclass

# From this probability on both individuals are tentative.
SERIOUS = 0.15


@dataclass(frozen=True)
class Question:
    """Two individuals that may be one: log-odds, and the pair of sightings that is most alike."""

    one: str
    other: str
    log_odds: float
    sighting_of_one: str
    sighting_of_other: str

    @property
    def probability(self) -> float:
        """Return how likely the two are one."""
        return 1 / (1 + math.exp(-self.log_odds))

    @property
    def serious(self) -> bool:
        """Return whether it makes the two tentative; what is less likely is asked too."""
        return self.probability >= SERIOUS

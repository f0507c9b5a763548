"""What two pictures have in common, in double precision; messages carry it in single."""

from dataclasses import asdict, dataclass
from typing import Self

from shared.messages import Candidate, Depth, Evidence


@dataclass(frozen=True)
class PairEvidence:
    """What two pictures have in common; a stage that was not reached leaves zeros.

    neighbours, neighbour_score: mutual nearest neighbours above the floor, and
        the sum of (cosine - floor) over them
    matches, confidence: LightGlue's matches, and the sum of their scores
    inliers: how many of the matches one homography explains
    reason: why there is no evidence at all
    """

    depth: Depth
    neighbours: int = 0
    neighbour_score: float = 0.0
    matches: int = 0
    confidence: float = 0.0
    inliers: int = 0
    reason: str = ""

    @classmethod
    def of(cls, message: Evidence) -> Self:
        """Return the evidence of a message."""
        return cls(**{name: getattr(message, name) for name in cls.__annotations__})

    def message(self, candidate: Candidate | None = None) -> Evidence:
        """Return it as a message, about a candidate if one is given."""
        return Evidence(candidate=candidate, **asdict(self))

"""Evidence of one pair, in double precision; messages carry single precision."""

from dataclasses import asdict, dataclass
from typing import Self

from shared.messages import Candidate, Depth, Evidence


@dataclass(frozen=True)
class PairEvidence:
    """Evidence of one pair; stages that were not reached leave zeros.

    neighbours, neighbour_score: mutual nearest neighbours above the floor, and the sum of (cosine -
        floor)
    matches, confidence: LightGlue's matches, and the sum of their scores
    inliers: matches that agree with one homography
    reason: why there is no evidence
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
        """Return it as a message, for a candidate if given."""
        return Evidence(candidate=candidate, **asdict(self))

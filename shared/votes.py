"""Votes on the wire: the candidates that each of a query's keypoints is most similar to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from shared.errors import Poison
from shared.messages import Votes

# Cosines are sent in steps of 1/255; negative ones as 0.
STEPS = 255
# A keypoint without rivals is measured against this similarity, .7: that of unlike keypoints.
UNRIVALLED = 178

# The ledger stores these as 8 and 16 bits.
MOST_PLACES, MOST_KEYPOINTS = 255, 65_535


@dataclass(frozen=True)
class KeypointVotes:
    """The best candidates of each keypoint, most similar first.

    keypoints: names the keypoints, see `services.matcher.cascade.voting`; 0: none
    numbers: enrolment numbers, int64 [K, P]; 0: no candidate
    similarities: cosines in steps, uint8 [K, P]; 0 without candidate
    """

    keypoints: int
    numbers: NDArray[np.int64]
    similarities: NDArray[np.uint8]

    @classmethod
    def none(cls) -> Self:
        """Return the votes of no keypoints."""
        return cls(0, np.zeros((0, 1), np.int64), np.zeros((0, 1), np.uint8))

    @classmethod
    def of(cls, message: Votes) -> Self:
        """Return the votes of a message.

        Raises:
            Poison: its parts disagree, or are too large.
        """
        if not message.places:
            return cls.none()
        count, rest = divmod(len(message.similarities), message.places)
        disagree = rest or len(message.numbers) != 4 * len(message.similarities)
        if disagree or message.places > MOST_PLACES or count > MOST_KEYPOINTS:
            raise Poison(
                f"votes of {len(message.numbers)} and {len(message.similarities)} bytes for "
                f"{message.places} places; the matcher that sent them is faulty",
                kind="bad-evidence",
            )
        shape = count, message.places
        return cls(
            message.keypoints,
            np.frombuffer(message.numbers, "<u4").astype(np.int64).reshape(shape),
            np.frombuffer(message.similarities, np.uint8).reshape(shape),
        )

    def message(self) -> Votes:
        """Return the votes as a message."""
        return Votes(
            keypoints=self.keypoints,
            places=self.numbers.shape[1],
            numbers=self.numbers.astype("<u4").tobytes(),
            similarities=self.similarities.tobytes(),
        )


# Reciprocal rank fusion (Cormack et al. 2009): its smoothing constant.
EVEN = 30


def fused_ranks(cosines: Sequence[float], worth: Sequence[float]) -> NDArray[np.float64]:
    """Return how good candidates are by embedding and by votes, from their ranks; float [N]."""
    return np.asarray(1 / (EVEN + _ranks(cosines)) + 1 / (EVEN + _ranks(worth)))


def _ranks(scores: Sequence[float]) -> NDArray[np.intp]:
    """Return the rank of each score, 0 for the highest; ties share the last rank."""
    values = np.asarray(scores, np.float64)
    return np.searchsorted(np.sort(-values), -values, side="right") - 1


def in_steps(cosines: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return cosines in steps of 1/255, of the same shape."""
    return np.round(np.clip(cosines, 0, 1) * STEPS).astype(np.uint8)


# Distance of unit descriptors by their cosine in steps: sqrt(2 - 2 cos).
DISTANCES = np.sqrt(2 - 2 * np.arange(STEPS + 1, dtype=np.float32) / STEPS)

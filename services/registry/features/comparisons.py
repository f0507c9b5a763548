"""The comparisons of a sighting at its decision, kept while it is enrolled.

The ledger keeps the numbers that a decision was based on, because each decision changes what is
known about earlier ones. Packed, a list of 100 candidates takes 3.2 kB.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from services.registry.features.evidence import FEATURES, RELATIVE, ScoreStatistics, features
from shared.errors import Poison
from shared.messages import Evidence

# The features of a piece of evidence, and how far its scores stand out of the *candidate's* own
# list (symmetric normalisation, S-norm, Shum et al. 2010, speaker verification).
FROM_CANDIDATE = tuple(f"candidates_{name}" for name in RELATIVE)
COMPARED = (*FEATURES, *FROM_CANDIDATE)

VERSION = 1
_HEAD = struct.Struct("<BBI")
_STANDING = np.dtype(("<f4", 2 * len(RELATIVE) + 1))
_ROW = np.dtype([("number", "<u4"), ("features", "<f2", len(COMPARED))])


@dataclass(frozen=True)
class Comparisons:
    """A sighting's list: enrolment numbers of its candidates [N] and features [N, 14].

    `statistics`: score statistics of the list, to normalise later comparisons with this sighting.
    """

    numbers: NDArray[np.int64]
    features: NDArray[np.float64]
    statistics: ScoreStatistics

    @classmethod
    def of(
        cls, evidence: Sequence[Evidence], candidate_statistics: Mapping[int, ScoreStatistics]
    ) -> Self:
        """Return the comparisons of a query, given the candidates' score statistics by number.

        Without statistics a candidate's own list is ignored. Unpacking the packed bytes gives the
        same result.

        Raises:
            Poison: the evidence holds impossible numbers.
        """
        last = {item.candidate.enrolment_number: item for item in evidence}
        numbers = np.array(list(last), dtype=np.int64)
        rows = features(list(last.values()))
        statistics = ScoreStatistics.of(rows)
        nobody = ScoreStatistics.of(rows[:0])
        candidates = [
            candidate_statistics.get(number, nobody).deviations(row[None])
            for number, row in zip(last, rows, strict=True)
        ]
        wide = np.hstack([rows, np.reshape(candidates, (-1, len(RELATIVE)))])
        return cls.unpack(cls(numbers, wide, statistics).pack())

    def pack(self) -> bytes:
        """Return the list as bytes."""
        rows = np.empty(len(self.numbers), dtype=_ROW)
        rows["number"] = self.numbers
        rows["features"] = self.features
        head = _HEAD.pack(VERSION, len(COMPARED), len(rows))
        return head + pack_statistics(self.statistics) + rows.tobytes()

    @classmethod
    def unpack(cls, stored: bytes) -> Self:
        """Return the list that `pack` made.

        Raises:
            Poison: the bytes are invalid.
        """
        start = _HEAD.size + _STANDING.itemsize
        if len(stored) < start:
            raise Poison(f"{len(stored)} bytes are not a list of comparisons")
        version, width, count = _HEAD.unpack_from(stored)
        if (version, width, start + count * _ROW.itemsize) != (VERSION, len(COMPARED), len(stored)):
            raise Poison(
                f"a list of comparisons of version {version} with {width} features and {count} "
                f"rows in {len(stored)} bytes is not of this release"
            )
        rows = np.frombuffer(stored, dtype=_ROW, offset=start)
        return cls(
            rows["number"].astype(np.int64),
            rows["features"].astype(np.float64),
            unpack_statistics(stored[_HEAD.size : start]),
        )


def pack_statistics(statistics: ScoreStatistics) -> bytes:
    """Return score statistics as 28 bytes."""
    return np.array(
        [*statistics.median, *statistics.spread, statistics.share], dtype="<f4"
    ).tobytes()


def unpack_statistics(stored: bytes) -> ScoreStatistics:
    """Return the statistics that `pack_statistics` made."""
    values = np.frombuffer(stored, dtype="<f4").astype(np.float64)
    count = len(RELATIVE)
    return ScoreStatistics(values[:count], values[count : 2 * count], float(values[-1]))

"""The comparisons of a sighting at its decision, kept while it is enrolled.

The ledger keeps the numbers that a decision was based on, because each decision changes what is
known about earlier ones. Packed, a list of 100 candidates takes about 10 kB.
"""

import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from services.registry.features.evidence import FEATURES, RELATIVE, ScoreStatistics, features
from shared.errors import Poison
from shared.messages import Evidence, Votes
from shared.votes import KeypointVotes

# The features of a piece of evidence, and how far its scores stand out of the *candidate's* own
# list (symmetric normalisation, S-norm, Shum et al. 2010, speaker verification).
FROM_CANDIDATE = tuple(f"candidates_{name}" for name in RELATIVE)
COMPARED = (*FEATURES, *FROM_CANDIDATE)

VERSION = 2
# Version 1 had no votes, and all features but this one.
SINCE_VERSION_2 = FEATURES.index("log_distinctiveness")
_HEAD = struct.Struct("<BBI")
_STANDING = np.dtype(("<f4", 2 * len(RELATIVE) + 1))
# Name of the keypoints, their number and places; how many candidates answered, with how many
# keypoints at most.
_VOTES = struct.Struct("<IHBHH")


def _row(width: int) -> np.dtype[np.void]:
    return np.dtype([("number", "<u4"), ("features", "<f2", width)])


@dataclass(frozen=True)
class Reverse:
    """How similar candidates' keypoints are to the query's, for some candidates.

    numbers: of their enrolments, int64 [R]
    keypoints: names of their keypoints, int64 [R]
    similarities: in steps of 1/255, uint8 [R, M]; 0 beyond a candidate's keypoints
    """

    numbers: NDArray[np.int64]
    keypoints: NDArray[np.int64]
    similarities: NDArray[np.uint8]

    @classmethod
    def of(cls, evidence: Iterable[Evidence]) -> Self:
        """Return what the candidates of some evidence answered, if kept."""
        answers = [item for item in evidence if item.reverse]
        width = max((len(item.reverse) for item in answers), default=0)
        rows = [np.frombuffer(item.reverse.ljust(width, b"\0"), np.uint8) for item in answers]
        return cls(
            np.array([item.candidate.enrolment_number for item in answers], np.int64),
            np.array([item.reverse_keypoints for item in answers], np.int64),
            np.array(rows, np.uint8).reshape(len(answers), width),
        )


NO_ANSWERS = Reverse.of([])


@dataclass(frozen=True)
class Comparisons:
    """A sighting's list: enrolment numbers of its candidates [N] and features [N, 15].

    `statistics`: score statistics of the list, to normalise later comparisons with this sighting.
    `votes`: of the sighting's keypoints. `reverse`: of its candidates' keypoints on it.
    """

    numbers: NDArray[np.int64]
    features: NDArray[np.float64]
    statistics: ScoreStatistics
    votes: KeypointVotes = field(default_factory=KeypointVotes.none)
    reverse: Reverse = NO_ANSWERS

    @classmethod
    def of(
        cls,
        evidence: Sequence[Evidence],
        candidate_statistics: Mapping[int, ScoreStatistics],
        votes: Votes | None = None,
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
        said = KeypointVotes.none() if votes is None else KeypointVotes.of(votes)
        reverse = Reverse.of(last.values())
        return cls.unpack(cls(numbers, wide, statistics, said, reverse).pack())

    def pack(self) -> bytes:
        """Return the list as bytes."""
        rows = np.empty(len(self.numbers), dtype=_row(len(COMPARED)))
        rows["number"] = self.numbers
        rows["features"] = self.features
        count, places = self.votes.numbers.shape
        parts = [
            _HEAD.pack(VERSION, len(COMPARED), len(rows)),
            pack_statistics(self.statistics),
            rows.tobytes(),
            _VOTES.pack(self.votes.keypoints, count, places, *self.reverse.similarities.shape),
            self.votes.numbers.astype("<u4").tobytes(),
            self.votes.similarities.tobytes(),
            self.reverse.numbers.astype("<u4").tobytes(),
            self.reverse.keypoints.astype("<u4").tobytes(),
            self.reverse.similarities.tobytes(),
        ]
        return b"".join(parts)

    @classmethod
    def unpack(cls, stored: bytes) -> Self:
        """Return the list that `pack` made, now or in an earlier version.

        Raises:
            Poison: the bytes are invalid.
        """
        start = _HEAD.size + _STANDING.itemsize
        if len(stored) < start:
            raise Poison(f"{len(stored)} bytes are not a list of comparisons")
        version, width, count = _HEAD.unpack_from(stored)
        end = start + count * _row(width).itemsize
        expected = {1: len(COMPARED) - 1, VERSION: len(COMPARED)}.get(version)
        if width != expected or len(stored) < end or (version == 1 and len(stored) > end):
            raise Poison(
                f"a list of comparisons of version {version} with {width} features and {count} "
                f"rows in {len(stored)} bytes is not of this release"
            )
        rows = np.frombuffer(stored, dtype=_row(width), count=count, offset=start)
        found = rows["features"].astype(np.float64)
        if version == 1:
            found = np.insert(found, SINCE_VERSION_2, 0.0, axis=1)
        votes, reverse = (
            (KeypointVotes.none(), NO_ANSWERS) if version == 1 else _unpacked_votes(stored, end)
        )
        statistics = unpack_statistics(stored[_HEAD.size : start])
        return cls(rows["number"].astype(np.int64), found, statistics, votes, reverse)


def _unpacked_votes(stored: bytes, at: int) -> tuple[KeypointVotes, Reverse]:
    """Return the votes that begin at a position; raises Poison if they are cut."""
    if len(stored) < at + _VOTES.size:
        raise Poison(f"a list of comparisons is cut after {len(stored)} bytes")
    keypoints, count, places, answers, width = _VOTES.unpack_from(stored, at)
    at += _VOTES.size
    end = at + 5 * count * places + answers * (8 + width)
    if len(stored) != end:
        raise Poison(f"a list of comparisons of {len(stored)} bytes should have {end}")

    def array(kind: str, *shape: int) -> NDArray[Any]:
        nonlocal at
        found = np.frombuffer(stored, kind, math.prod(shape), at).reshape(shape)
        at += found.nbytes
        return found

    votes = KeypointVotes(
        keypoints, array("<u4", count, places).astype(np.int64), array("u1", count, places)
    )
    numbers, names = (array("<u4", answers).astype(np.int64) for _ in range(2))
    return votes, Reverse(numbers, names, array("u1", answers, width))


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

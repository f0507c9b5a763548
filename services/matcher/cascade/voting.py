"""What a match is worth depends on who else matches as well: votes of keypoints, and their worth.

Local naive Bayes nearest neighbour (McCann and Lowe, Local Naive Bayes Nearest Neighbor for Image
Classification, 2012; HotSpotter, Crall et al. 2013): a keypoint speaks for a candidate only as far
as it is nearer to it than to the others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from crc32c import crc32c
from numpy.typing import NDArray

from shared.keypoints.keypoints import Keypoints
from shared.votes import DISTANCES, UNRIVALLED, KeypointVotes, in_steps

# Strongest keypoints that vote, on either side.
VOTING = 96
# Candidates sent per keypoint.
PLACES = 8
# Candidates of a list, the most similar, whose own keypoints' votes are sent too.
ANSWERING = 40
# A keypoint speaks for its best candidates, this many, measured against the next one.
BEST = 4
FINGERPRINT = f"votes{VOTING}-{PLACES}-{BEST}-{ANSWERING}"

# Candidates compared in one product, so that similarities stay in a core's cache.
TOGETHER = 8


@dataclass(frozen=True)
class Voters:
    """The keypoints of a picture that vote: descriptors float32 [K, D], and their name."""

    descriptors: NDArray[np.float32]
    keypoints: int

    @classmethod
    def of(cls, keypoints: Keypoints) -> "Voters":
        """Return the strongest keypoints on the animal."""
        chosen = keypoints.foreground().best(VOTING)
        return cls(chosen.unit(), crc32c(chosen.descriptors.tobytes()) if len(chosen) else 0)


@dataclass(frozen=True)
class Ballot:
    """A query's votes on its candidates, of all passes, and the candidates' votes on it.

    worth: what the matches of each candidate are worth, by enrolment number; others: 0
    reverse: for each of a candidate's voting keypoints its similarity to the most similar one of
        the query, uint8 [M], with the keypoints' name; of this pass only
    """

    votes: KeypointVotes
    worth: Mapping[int, float]
    reverse: Mapping[int, tuple[int, NDArray[np.uint8]]]


def vote(query: Keypoints, candidates: Mapping[int, Keypoints], earlier: KeypointVotes) -> Ballot:
    """Let the strongest keypoints vote. `candidates` are those of this pass by enrolment number."""
    mine, theirs = Voters.of(query), {name: Voters.of(each) for name, each in candidates.items()}
    best, back = _similarities(mine, list(theirs.values()))
    found = _votes(mine, best, list(theirs), earlier)
    reverse = {
        number: (each.keypoints, row)
        for (number, each), row in zip(theirs.items(), back, strict=True)
    }
    return Ballot(found, distinctiveness(found), reverse)


def _similarities(
    query: Voters, candidates: Sequence[Voters]
) -> tuple[NDArray[np.uint8], Sequence[NDArray[np.uint8]]]:
    """Return cosines in steps: of the query's keypoints to each candidate [K, C], and back.

    Always to the most similar keypoint.
    """
    mine = torch.from_numpy(query.descriptors)
    best = np.zeros((len(mine), len(candidates)), np.uint8)
    back = [np.zeros(len(each.descriptors), np.uint8) for each in candidates]
    voting = [i for i, each in enumerate(candidates) if len(each.descriptors)]
    if not len(mine):
        return best, back
    for start in range(0, len(voting), TOGETHER):
        some = voting[start : start + TOGETHER]
        # Shorter ones are padded with zeros, whose cosine is 0.
        theirs = torch.nn.utils.rnn.pad_sequence(
            [torch.from_numpy(candidates[i].descriptors) for i in some], batch_first=True
        )
        cosines = torch.matmul(theirs, mine.T)  # [B, M, K]
        best[:, some] = in_steps(cosines.amax(dim=1).numpy()).T
        for i, row in zip(some, in_steps(cosines.amax(dim=2).numpy()), strict=True):
            back[i] = row[: len(back[i])]
    return best, back


def _votes(
    query: Voters, best: NDArray[np.uint8], numbers: Sequence[int], earlier: KeypointVotes
) -> KeypointVotes:
    """Return each keypoint's most similar candidates, with those of earlier passes."""
    count = len(query.descriptors)
    if not count:
        return KeypointVotes.none()
    named = [np.broadcast_to(np.array(numbers, np.int64), best.shape)]
    similar = [best]
    if earlier.keypoints == query.keypoints:
        named.append(earlier.numbers)
        similar.append(earlier.similarities)
    named.append(np.zeros((count, PLACES), np.int64))
    similar.append(np.zeros((count, PLACES), np.uint8))
    every, values = np.hstack(named), np.hstack(similar)
    # Most similar first; of two alike the lower number, so that passes may come in any order.
    order = np.lexsort((every, -values.astype(np.int16)), axis=1)[:, :PLACES]
    return KeypointVotes(
        query.keypoints,
        np.take_along_axis(every, order, axis=1),
        np.take_along_axis(values, order, axis=1),
    )


def distinctiveness(found: KeypointVotes) -> Mapping[int, float]:
    """Return what the matches of each candidate are worth, by enrolment number; others: 0.

    The sum over keypoints of how much nearer they are than the best candidate beyond the `BEST`,
    divided by the root of their number. Untrained, and on one scale for all species.
    """
    if not len(found.numbers):
        return {}
    measure = np.where(found.numbers[:, BEST] > 0, found.similarities[:, BEST], UNRIVALLED)
    nearer = DISTANCES[measure][:, None] - DISTANCES[found.similarities[:, :BEST]]
    worth = np.maximum(nearer, 0) / np.sqrt(len(found.numbers))
    named = found.numbers[:, :BEST]
    spoken = (named > 0) & (worth > 0)
    totals: dict[int, float] = {}
    for number, value in zip(named[spoken].tolist(), worth[spoken].tolist(), strict=True):
        totals[number] = totals.get(number, 0.0) + value
    return totals

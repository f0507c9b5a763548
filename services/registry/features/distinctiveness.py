"""How distinctive the matches of two sightings are, measured against other individuals.

A keypoint speaks for a sighting as far as it is nearer to it than to every individual but the two
in question (LNBNN, see `services.matcher.cascade.voting`). Measured against other pictures, an
animal of many pictures would speak against itself. So the measure depends on who is one animal, and
is taken anew whenever that changes.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.registry.features.comparisons import Comparisons
from services.registry.features.positions import Positions
from shared.votes import DISTANCES, STEPS, UNRIVALLED, KeypointVotes

# Votes of keypoints: voter, sighting and similarity, arrays of one length.
_Found = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]


class VoteTable:
    """Votes of the keypoints of some sightings for each other, prepared for changing individuals.

    `lists` has their comparisons by enrolment number. A keypoint knows the sightings that it voted
    for, and the later ones to which it answered. Voters are numbered `sighting * width + keypoint`.
    """

    def __init__(self, lists: Mapping[int, Comparisons]) -> None:
        count = len(lists)
        votes = [each.votes for each in lists.values()]
        self._voters = np.array([len(each.numbers) for each in votes], np.float64)
        self._width = int(self._voters.max(initial=0))
        # Similarity of the most similar sighting that is not among them, by voter.
        self._outside = np.zeros(count * self._width, np.uint8)
        positions = Positions(lists)
        voted = self._voted(votes, positions)
        answered = self._answered(lists.values(), positions)
        voter, sighting, similar = (
            np.concatenate([one, other]).astype(np.int64)
            for one, other in zip(voted, answered, strict=True)
        )
        # Nearest first; one number sorts faster than three keys.
        keys = (voter * (STEPS + 1) + STEPS - similar) * max(count, 1) + sighting
        rest, self._sighting = np.divmod(np.sort(keys), max(count, 1))
        self._voter, further = np.divmod(rest, STEPS + 1)
        self._similar = STEPS - further

    def _voted(self, votes: Sequence[KeypointVotes], positions: Positions) -> _Found:
        """Return all sightings' votes, and keep what their keypoints know of the outside.

        Only what is nearer than the outside can be worth anything.
        """
        similar = _stacked([each.similarities for each in votes])
        at = positions.of(_stacked([each.numbers for each in votes]))
        voters = np.concatenate(
            [np.zeros(0, np.int64)]
            + [
                index * self._width + np.arange(len(each.numbers))
                for index, each in enumerate(votes)
            ]
        )
        beyond = np.where(at < 0, similar, 0)
        # No sighting beyond the last place is more similar than the one there.
        last = np.repeat([each.numbers.shape[1] - 1 for each in votes], self._voters.astype(int))
        if len(similar):
            keypoints = np.arange(len(similar))
            beyond[keypoints, last] = similar[keypoints, last]
        outside = beyond.max(axis=1, initial=0)
        self._outside[voters] = outside
        rows, columns = np.nonzero((at >= 0) & (similar > outside[:, None]))
        return voters[rows], at[rows, columns], similar[rows, columns]

    def _answered(self, lists: Collection[Comparisons], positions: Positions) -> _Found:
        """Return the votes of sightings' candidates for them, if of the same keypoints."""
        answers = [each.reverse for each in lists]
        none = [np.zeros(0, np.int64)]
        names = np.array([each.votes.keypoints for each in lists], np.int64)
        asked = np.repeat(np.arange(len(answers)), [len(each.numbers) for each in answers])
        at = positions.of(np.concatenate([*none, *(each.numbers for each in answers)]))
        keypoints = np.concatenate([*none, *(each.keypoints for each in answers)])
        chosen = np.flatnonzero((at >= 0) & (names[at] == keypoints)) if len(names) else none[0]
        similar = _stacked([each.similarities for each in answers])[chosen, : self._width]
        voter = at[chosen, None] * self._width + np.arange(similar.shape[1])
        nearer = similar > self._outside[voter]
        return voter[nearer], asked[chosen][np.nonzero(nearer)[0]], similar[nearer]

    def between(self, groups: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the distinctiveness of each sighting's matches with each other one, [N, N].

        `groups` [N] names the individuals. Row: the sighting whose keypoints speak.
        """
        count = len(self._voters)
        if not len(self._voter):
            return np.zeros((count, count))
        speaker = self._voter // self._width
        group = groups[self._sighting]
        own = group == groups[speaker]
        # The nearest other individual of each keypoint, and the nearest but that.
        measure, first = self._nearest(~own, group)
        beyond, _ = self._nearest(~own & (group != first[self._voter]), group)
        limit = np.where(
            own | (group != first[self._voter]), measure[self._voter], beyond[self._voter]
        )
        limit = np.where(limit > 0, limit, UNRIVALLED)
        worth = np.maximum(DISTANCES[limit] - DISTANCES[self._similar], 0)
        pairs = speaker * count + self._sighting
        total = np.bincount(pairs, worth, minlength=count * count).reshape(count, count)
        return np.asarray(total / np.sqrt(np.maximum(self._voters, 1))[:, None])

    def _nearest(
        self, chosen: NDArray[np.bool_], group: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return each keypoint's largest similarity to chosen votes, at least outside's, and whose.

        The group is -1 where there is none.
        """
        at = np.flatnonzero(chosen)[::-1]
        measure = self._outside.astype(np.int64)
        whose = np.full(len(measure), -1, np.int64)
        # Of several assignments to one place the last holds: the nearest, since reversed.
        measure[self._voter[at]] = self._similar[at]
        whose[self._voter[at]] = group[at]
        return measure, whose


def _stacked(tables: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return tables [*, M] of several widths below each other, filled up with 0."""
    width = max((each.shape[1] for each in tables), default=0)
    rows = sum(len(each) for each in tables)
    found = np.zeros((rows, width), tables[0].dtype if tables else np.uint8)
    start = 0
    for each in tables:
        found[start : start + len(each), : each.shape[1]] = each
        start += len(each)
    return found

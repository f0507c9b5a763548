"""How distinctive the matches of two sightings are, measured against other individuals.

A keypoint speaks for a sighting as far as it is nearer to it than to every individual but the two
in question (LNBNN, see `services.matcher.cascade.voting`). Measured against other pictures, an
animal of many pictures would speak against itself. So the measure depends on who is one animal, and
is taken anew whenever that changes.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from services.registry.features.comparisons import Comparisons
from services.registry.features.positions import Positions
from shared.votes import DISTANCES, STEPS, UNRIVALLED

# Votes of keypoints: voter, sighting and similarity, arrays of one length.
_Found = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]


class VoteTable:
    """Votes of the keypoints of some sightings for each other, prepared for changing individuals.

    `lists` has their comparisons by enrolment number. A keypoint knows the sightings that it voted
    for, and the later ones to which it answered. Voters are numbered `sighting * width + keypoint`.
    """

    def __init__(self, lists: Mapping[int, Comparisons]) -> None:
        count = len(lists)
        self._voters = np.array([len(each.votes.numbers) for each in lists.values()], np.float64)
        self._width = int(self._voters.max(initial=0))
        # Similarity of the most similar sighting that is not among them, by voter.
        self._outside = np.zeros(count * self._width, np.uint8)
        self._positions = Positions(lists)
        voted = [self._voted(index, each) for index, each in enumerate(lists.values())]
        names = np.array([each.votes.keypoints for each in lists.values()], np.int64)
        answered = [self._answered(index, each, names) for index, each in enumerate(lists.values())]
        found = [np.concatenate(each) for each in zip(*voted, *answered, strict=True)] or [
            np.zeros(0, np.int64)
        ] * 3
        voter, sighting, similar = (each.astype(np.int64) for each in found)
        # Nearest first; one number sorts faster than three keys.
        keys = (voter * (STEPS + 1) + STEPS - similar) * max(count, 1) + sighting
        rest, self._sighting = np.divmod(np.sort(keys), max(count, 1))
        self._voter, further = np.divmod(rest, STEPS + 1)
        self._similar = STEPS - further

    def _voted(self, index: int, each: Comparisons) -> _Found:
        """Return a sighting's votes, and keep what its keypoints know of the outside.

        Only what is nearer than the outside can be worth anything.
        """
        similar, at = each.votes.similarities, self._positions.of(each.votes.numbers)
        beyond = np.where(at < 0, similar, 0)
        # No sighting beyond the last place is more similar than the one there.
        beyond[:, -1:] = similar[:, -1:]
        first = index * self._width
        outside = beyond.max(axis=1, initial=0)
        self._outside[first : first + len(at)] = outside
        rows, columns = np.nonzero((at >= 0) & (similar > outside[:, None]))
        return first + rows, at[rows, columns], similar[rows, columns]

    def _answered(self, index: int, each: Comparisons, names: NDArray[np.int64]) -> _Found:
        """Return the votes of a sighting's candidates for it, if of the same keypoints."""
        at = self._positions.of(each.reverse.numbers)
        at[names[at] != each.reverse.keypoints] = -1
        chosen = np.flatnonzero(at >= 0)
        similar = each.reverse.similarities[chosen, : self._width]
        voter = at[chosen, None] * self._width + np.arange(similar.shape[1])
        nearer = similar > self._outside[voter]
        return voter[nearer], np.full(int(nearer.sum()), index, np.int64), similar[nearer]

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

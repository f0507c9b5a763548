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
from shared.votes import DISTANCES, STEPS

# Without another individual a keypoint is measured against this cosine, in steps of 1/255.
NOBODY = 179


class VoteTable:
    """Votes of the keypoints of some sightings for each other, prepared for changing individuals.

    `lists` has their comparisons by enrolment number. A keypoint knows the sightings that it voted
    for, and the later ones to which it answered.
    """

    def __init__(self, lists: Mapping[int, Comparisons]) -> None:
        width = max((len(each.votes.numbers) for each in lists.values()), default=0)
        self._voters = np.array([len(each.votes.numbers) for each in lists.values()], np.float64)
        self._width = width
        numbers = np.array([*lists], np.int64)
        names = np.array([each.votes.keypoints for each in lists.values()], np.int64)
        order = np.argsort(numbers)

        def positions(named: NDArray[np.int64]) -> NDArray[np.int64]:
            at = order[np.minimum(np.searchsorted(numbers, named, sorter=order), len(order) - 1)]
            return np.where((numbers[at] == named) & (named > 0), at, -1)

        # Similarity of the most similar sighting that is not among them, in steps of 1/255.
        self._outside = np.zeros((len(lists), width), np.uint8)
        found: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]] = []
        for index, each in enumerate(lists.values()):
            similar, at = each.votes.similarities, positions(each.votes.numbers)
            beyond = np.where(at < 0, similar, 0)
            # No sighting beyond the last place is more similar than the one there.
            beyond[:, -1:] = similar[:, -1:]
            self._outside[index, : len(at)] = beyond.max(axis=1, initial=0)
            rows, columns = np.nonzero(at >= 0)
            found.append((index * width + rows, at[rows, columns], similar[rows, columns]))
        outside = self._outside.ravel()
        for index, each in enumerate(lists.values()):
            at = positions(each.reverse.numbers)
            at[names[at] != each.reverse.keypoints] = -1
            chosen = np.flatnonzero(at >= 0)
            similar = each.reverse.similarities[chosen, :width]
            voter = at[chosen, None] * width + np.arange(similar.shape[1])
            nearer = similar > outside[voter]
            count = int(nearer.sum())
            found.append((voter[nearer], np.full(count, index, np.int64), similar[nearer]))
        voter, sighting, similar = (
            (np.concatenate(each) for each in zip(*found, strict=True))
            if found
            else (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.uint8))
        )
        # Only what is nearer than the outside can be worth anything; nearest first.
        nearer = similar > outside[voter]
        voter, sighting, similar = voter[nearer], sighting[nearer], similar[nearer]
        # One number sorts faster than three keys.
        places = max(len(lists), 1)
        keys = np.sort((voter * (STEPS + 1) + STEPS - similar) * places + sighting)
        self._sighting = keys % places
        self._voter, further = np.divmod(keys // places, STEPS + 1)
        self._similar = STEPS - further

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
        limit = np.where(limit > 0, limit, NOBODY)
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
        measure = self._outside.ravel().astype(np.int64)
        whose = np.full(len(measure), -1, np.int64)
        # Of several assignments to one place the last holds: the nearest, since reversed.
        measure[self._voter[at]] = self._similar[at]
        whose[self._voter[at]] = group[at]
        return measure, whose

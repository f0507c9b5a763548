"""Streams of labelled sightings, and how training groups them."""

from collections.abc import Sequence

import numpy as np

from recognition.calibration.stream import Stream, untrained_groups
from services.registry.features.comparisons import COMPARED, Comparisons
from services.registry.features.evidence import ScoreStatistics
from shared.votes import KeypointVotes


def voted(number: int, similarities: Sequence[int]) -> Comparisons:
    """A sighting compared with all before it, whose 40 keypoints are as similar to each of them."""
    earlier = np.arange(1, number)
    order = np.argsort(-np.array(similarities, np.int64), kind="stable")
    numbers = np.tile(np.append(earlier[order], 0), (40, 1))
    similar = np.tile(np.append(np.array(similarities, np.uint8)[order], 0), (40, 1))
    rows = np.zeros((number - 1, len(COMPARED)))
    votes = KeypointVotes(number, numbers, similar.astype(np.uint8))
    return Comparisons(earlier, rows, ScoreStatistics.of(rows[:0]), votes)


# Sightings 1, 2 and 4 look alike, 3 does not.
LISTS = {1: voted(1, []), 2: voted(2, [240]), 3: voted(3, [100, 90]), 4: voted(4, [230, 235, 110])}


def test_sightings_with_distinctive_matches_are_grouped_untrained() -> None:
    first, second, other, last = untrained_groups(Stream(LISTS, ("a", "a", "b", "a")).pairs)
    assert first == second == last != other


def test_training_groups_are_those_without_their_mistakes() -> None:
    first, second, other, last = Stream(LISTS, ("a", "a", "b", "c")).groups
    assert first == second
    assert len({first, other, last}) == 3


def test_training_leaves_apart_what_evidence_does_not_join() -> None:
    first, second, other, last = Stream(LISTS, ("a", "a", "a", "a")).groups
    assert first == second == last != other

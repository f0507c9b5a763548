"""Votes of keypoints for sightings of a gallery."""

import pytest

from services.lookup.votes import BEST, votes

OWN, OTHER = 1, 2


def _neighbours(cosines: dict[int, float]) -> list[tuple[int, float]]:
    return sorted(cosines.items(), key=lambda each: -each[1])


def test_what_stands_out_is_worth_more_than_what_everybody_has() -> None:
    crowd = {OTHER + n: 0.6 - 0.001 * n for n in range(BEST + 2)}
    found = votes([_neighbours({OWN: 0.95, **crowd}), _neighbours(crowd)])
    assert max(found, key=found.__getitem__) == OWN
    assert found[OWN] > 10 * found[OTHER]


def test_several_descriptors_of_one_sighting_count_once_per_keypoint() -> None:
    once = votes([[(OWN, 0.9), (OTHER, 0.5)]])
    twice = votes([[(OWN, 0.9), (OWN, 0.8), (OTHER, 0.5)]])
    assert once == twice


def test_worth_does_not_grow_with_the_number_of_keypoints_alone() -> None:
    one = [(OWN, 0.9), (OTHER, 0.5)]
    nothing = [(OTHER, 0.5), (OWN, 0.5)]
    assert votes([one, nothing, nothing, nothing])[OWN] == pytest.approx(votes([one])[OWN] / 2)


def test_a_keypoint_with_a_single_neighbour_has_nothing_to_be_measured_against() -> None:
    assert votes([[(OWN, 0.9)], []]) == {}

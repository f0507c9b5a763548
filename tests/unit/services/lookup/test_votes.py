"""Votes of keypoints for sightings of a gallery."""

import pytest

from services.lookup.votes import BEST, votes


def _neighbours(**cosines: float) -> list[tuple[str, float]]:
    return sorted(cosines.items(), key=lambda each: -each[1])


def test_what_stands_out_is_worth_more_than_what_everybody_has() -> None:
    crowd = {f"other-{n}": 0.6 - 0.001 * n for n in range(BEST + 2)}
    found = votes([_neighbours(own=0.95, **crowd), _neighbours(**crowd)])
    assert max(found, key=found.__getitem__) == "own"
    assert found["own"] > 10 * found["other-0"]


def test_several_descriptors_of_one_sighting_count_once_per_keypoint() -> None:
    once = votes([[("own", 0.9), ("other", 0.5)]])
    twice = votes([[("own", 0.9), ("own", 0.8), ("other", 0.5)]])
    assert once == twice


def test_worth_does_not_grow_with_the_number_of_keypoints_alone() -> None:
    one = [("own", 0.9), ("other", 0.5)]
    nothing = [("other", 0.5), ("own", 0.5)]
    assert votes([one, nothing, nothing, nothing])["own"] == pytest.approx(votes([one])["own"] / 2)


def test_a_keypoint_with_a_single_neighbour_has_nothing_to_be_measured_against() -> None:
    assert votes([[("own", 0.9)], []]) == {}

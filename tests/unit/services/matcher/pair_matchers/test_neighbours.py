"""Mutual nearest neighbours, against the definition spelt out."""

from collections.abc import Callable

import pytest

from services.matcher.pair_matchers.neighbours import Neighbours, mutual_neighbours
from shared.keypoints.keypoints import Keypoints

Make = Callable[..., Keypoints]


def _by_definition(query: Keypoints, candidate: Keypoints, floor: float) -> Neighbours:
    cosines = query.unit() @ candidate.unit().T
    count, score = 0, 0.0
    for i in range(len(query)):
        j = int(cosines[i].argmax())
        if int(cosines[:, j].argmax()) == i and cosines[i, j] > floor:
            count, score = count + 1, score + float(cosines[i, j]) - floor
    return Neighbours(count, score)


@pytest.mark.parametrize("floor", [0.0, 0.3, 0.6])
def test_candidates_of_all_sizes_agree_with_the_definition(
    random_keypoints: Make, floor: float
) -> None:
    query = random_keypoints(0, 40)
    candidates = [random_keypoints(i, count) for i, count in enumerate(range(1, 60, 3), start=1)]
    found = mutual_neighbours(query, candidates, floor)
    expected = [_by_definition(query, candidate, floor) for candidate in candidates]
    assert [n.count for n in found] == [n.count for n in expected]
    assert [n.score for n in found] == pytest.approx([n.score for n in expected], abs=1e-4)


def test_a_picture_is_its_own_neighbour_in_every_keypoint(random_keypoints: Make) -> None:
    picture = random_keypoints(0, 30)
    [found] = mutual_neighbours(picture, [picture], floor=0.7)
    assert found.count == 30
    assert found.score == pytest.approx(30 * 0.3, rel=1e-2)


def test_no_candidates_give_no_answers(random_keypoints: Make) -> None:
    assert mutual_neighbours(random_keypoints(0, 5), [], floor=0.7) == []

import numpy as np

from services.registry.features.positions import Positions


def test_numbers_are_found_where_they_stand() -> None:
    found = Positions([7, 0, 3]).of(np.array([[3, 7], [1, 0]]))
    assert found.tolist() == [[2, 0], [-1, 1]]


def test_numbers_beyond_the_list_are_not_in_it() -> None:
    assert Positions([2]).of(np.array([3, 4_000_000_000])).tolist() == [-1, -1]
    assert Positions([]).of(np.array([0, 5])).tolist() == [-1, -1]

"""Positions of sightings in a list, by enrolment number."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray


class Positions:
    """Looks up where enrolment numbers stand in a list; `numbers` are distinct."""

    def __init__(self, numbers: Collection[int]) -> None:
        self._last = max(numbers, default=-1)
        self._table = np.full(self._last + 2, -1, np.int64)
        self._table[[*numbers]] = np.arange(len(numbers))

    def of(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the position of each number, of the same shape; -1: not in the list."""
        return np.asarray(self._table[np.minimum(numbers, self._last + 1)])

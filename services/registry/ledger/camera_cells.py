"""The grid cells in which a camera stood."""

import math

from shared.messages import Place


def camera_cell(place: Place) -> tuple[int, int]:
    """Return the cell of 0.002 degrees (some 200 m) that a camera stands in."""
    return math.floor(place.latitude * 500), math.floor(place.longitude * 500)

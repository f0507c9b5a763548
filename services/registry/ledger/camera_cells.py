"""The grid cell of a camera."""

import math

from shared.messages import Place


def camera_cell(place: Place) -> tuple[int, int]:
    """Return the camera's cell of 0.002 degrees (about 200 m)."""
    return math.floor(place.latitude * 500), math.floor(place.longitude * 500)

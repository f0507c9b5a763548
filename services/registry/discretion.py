"""Where rare animals live is told coarsely: to the middle of a grid's cell, by species."""

import json
import math
from collections.abc import Mapping
from pathlib import Path

from shared.errors import SettingsError
from shared.messages import Place

# One degree of latitude.
KILOMETRES = 111.32


class Discretion:
    """How coarsely the places of species are told, in kilometres; those not named exactly."""

    def __init__(self, cells: Mapping[str, float]) -> None:
        self._cells = cells

    @classmethod
    def read(cls, file: Path | None) -> "Discretion":
        """Read a JSON file such as {"black-rhinoceros": 50}; None: nothing is protected.

        Raises:
            SettingsError: it is none.
        """
        if file is None:
            return cls({})
        try:
            told = json.loads(file.read_text())
            cells = {str(species): float(size) for species, size in told.items()}
        except (OSError, ValueError, AttributeError, TypeError) as error:
            raise SettingsError(
                f"{file} is no list of protected species ({error}); write JSON such as "
                '{"black-rhinoceros": 50}: species as galleries call them, and kilometres'
            ) from error
        if bad := [species for species, size in cells.items() if not 0 < size <= 1000]:
            raise SettingsError(f"{file}: the cells of {bad[0]} must be of 0 to 1000 kilometres")
        return cls(cells)

    def cell(self, gallery: str) -> float:
        """Return the size of the cells of a gallery's species; 0: it is not protected."""
        return self._cells.get(gallery.partition("/")[2], 0.0)

    def told(self, place: Place, gallery: str) -> Place:
        """Return the middle of the cell that a place lies in, or the place."""
        cell = self.cell(gallery)
        if not cell:
            return place
        latitude = _middle(place.latitude, cell / KILOMETRES, 90.0)
        wide = cell / (KILOMETRES * max(math.cos(math.radians(latitude)), 0.01))
        return Place(latitude=latitude, longitude=_middle(place.longitude, wide, 180.0))


def _middle(degrees: float, cell: float, most: float) -> float:
    middle = (math.floor(degrees / cell) + 0.5) * cell
    return round(min(max(middle, -most), most), 4)

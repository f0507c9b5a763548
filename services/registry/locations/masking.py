"""Where animals live is told coarsely: to the middle of a grid's cell, unless it may be told.

What is protected is the camera's place. A camera that has ever seen a species whose places may not
be told is told coarsely wherever it is told, in every gallery, and so is whatever stands beside it.
A species of which nobody has said anything counts as one that may not be told.
"""

import json
import math
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from services.registry.ledger.camera_cells import camera_cell
from services.registry.ledger.reader import LedgerReader
from services.registry.locations.species_rules import SpeciesRule, SpeciesRules
from shared.errors import SettingsError
from shared.identifiers import slug, split_gallery
from shared.messages import Place

# One degree of latitude.
KILOMETRES = 111.32
WORDS = 2

Cell = tuple[int, int]
# In the list of protected species: all that it does not name.
UNLISTED = "*"


@dataclass(frozen=True)
class Ruling:
    """How coarsely a species is told, and by whose word.

    kilometres: the size of the cells; 0: its places may be told
    source: 'file': the operator's; 'said': an admin's; 'like': by a species as which an admin
        counts it, or which is listed by the same first two words; 'unlisted': nobody's
    like: that species
    """

    kilometres: float
    source: str
    like: str = ""


class LocationMasking:
    """Whose places are told coarsely, by the operator's list and what admins have said."""

    def __init__(
        self, ledger: LedgerReader, listed: Mapping[str, float], unlisted_kilometres: float
    ) -> None:
        self._ledger = ledger
        self._listed = {slug(name): size for name, size in listed.items() if name != UNLISTED}
        self.unlisted = listed.get(UNLISTED, unlisted_kilometres)
        self.said = SpeciesRules(ledger.store)

    def is_listed(self, species: str) -> bool:
        """Return whether the operator's list names a species, which no admin can change."""
        return slug(species) in self._listed

    def species(self, name: str) -> Ruling:
        """Return how coarsely a species is told. May raise Transient."""
        return self._ruling(slug(name), self.said.all())

    def cameras(self, knows: Callable[[str], bool] = lambda _: False) -> "Cameras":
        """Return how coarsely every camera is told to somebody. May raise Transient.

        knows: whether they may know the exact places of a gallery
        """
        said, cells = self.said.all(), dict[str, float]()
        for gallery in self._ledger.galleries():
            coarse = self._ruling(split_gallery(gallery)[1], said).kilometres
            if not coarse or knows(gallery):
                continue
            for deployment in self._ledger.deployments(gallery):
                name = slug(deployment)
                cells[name] = max(cells.get(name, 0.0), coarse)
        beside: dict[Cell, float] = {}
        for deployment, cell in self._ledger.camera_cells():
            if coarse := cells.get(slug(deployment), 0.0):
                beside[cell] = max(beside.get(cell, 0.0), coarse)
        return Cameras(cells, beside)

    def _ruling(self, species: str, said: Mapping[str, SpeciesRule], depth: int = 0) -> Ruling:
        if species in self._listed:
            return Ruling(self._listed[species], "file")
        if (word := said.get(species)) is not None:
            if not word.like:
                return Ruling(word.kilometres, "said")
            if depth < len(said):  # else they are said to be like each other
                return Ruling(
                    self._ruling(word.like, said, depth + 1).kilometres, "like", word.like
                )
        alike = {
            name: kilometres
            for name, kilometres in (
                *self._listed.items(),
                *((name, each.kilometres) for name, each in said.items() if not each.like),
            )
            if kilometres and _first_words(name) == _first_words(species)
        }
        # Only protection goes by the first two words: of African wild dogs and African wild cats
        # one may be told while the other is protected.
        if alike:
            like = max(alike, key=lambda name: (alike[name], name))
            return Ruling(alike[like], "like", like)
        return Ruling(self.unlisted, "unlisted")


class Cameras:
    """How coarsely each camera is told, in kilometres: by its name, or for what stands near it."""

    def __init__(self, by_name: Mapping[str, float], beside: Mapping[Cell, float]) -> None:
        self._by_name = by_name
        self._beside = beside
        self._told: dict[str, Place] = {}

    def coarse(self, deployment: str, place: Place) -> float:
        """Return the size of the cells that a camera is told by; 0: its place may be told."""
        row, column = camera_cell(place)
        near = (
            self._beside.get((row + down, column + right), 0.0)
            for down in (-1, 0, 1)
            for right in (-1, 0, 1)
        )
        return max(self._by_name.get(slug(deployment), 0.0), *near)

    def told(self, deployment: str, place: Place) -> tuple[Place, float]:
        """Return a camera's place as it may be told, and the size of its cell (0: exact).

        A coarse camera has one place, that of the first of its pictures, so that pictures of it
        from both sides of a cell's border don't tell that it stands there.
        """
        cell = self.coarse(deployment, place)
        if not cell:
            return place, 0.0
        return self._told.setdefault(slug(deployment), middle(place, cell)), cell


def read_list(file: Path | None) -> dict[str, float]:
    """Return grid sizes in kilometres by species from a JSON file; None: an empty one.

    Such as {"black-rhinoceros": 50, "plains-zebra": 0, "*": 50}; "*" are all other species.

    Raises:
        SettingsError: it can't be read, or holds something else.
    """
    if file is None:
        return {}
    try:
        told = json.loads(file.read_text())
        cells = {str(species): float(size) for species, size in told.items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise SettingsError(
            f"can't read the protected species from {file} ({error}); it must be JSON such as "
            '{"black-rhinoceros": 50, "plains-zebra": 0}: grid sizes in kilometres, 0 for exact'
        ) from error
    if bad := [species for species, size in cells.items() if not 0 <= size <= 1000]:
        raise SettingsError(f"{file}: the grid size of {bad[0]} must be 0 to 1000 km")
    return cells


def middle(place: Place, kilometres: float) -> Place:
    """Return the middle of the cell that a place lies in."""
    latitude = _middle(place.latitude, kilometres / KILOMETRES, 90.0)
    wide = kilometres / (KILOMETRES * max(math.cos(math.radians(latitude)), 0.01))
    return Place(latitude=latitude, longitude=_middle(place.longitude, wide, 180.0))


def _middle(degrees: float, cell: float, most: float) -> float:
    center = (math.floor(degrees / cell) + 0.5) * cell
    return round(min(max(center, -most), most), 4)


def _first_words(name: str) -> tuple[str, ...]:
    """Return what names are compared by: their first two words, without accents."""
    plain = "".join(
        each for each in unicodedata.normalize("NFD", name) if unicodedata.category(each) != "Mn"
    )
    return tuple(plain.split("-")[:WORDS])

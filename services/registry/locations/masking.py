"""Location masking: locations are rounded to grid cells unless a rule allows exact ones.

The camera's location is what is protected. A camera that has ever recorded a masked species is
masked everywhere, in every gallery, and so is whatever is near it. A species without a rule is
masked.
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
# Entry of the list for all species that it does not name.
UNLISTED = "*"


@dataclass(frozen=True)
class Ruling:
    """The masking of a species, and its source.

    kilometres: size of the cells; 0: exact
    source: 'file': the operator's list; 'said': an admin's rule; 'like': that of another species,
        set by an admin or listed with the same first two words; 'unlisted': none
    like: that species
    """

    kilometres: float
    source: str
    like: str = ""


class LocationMasking:
    """Location masking, by the operator's list and the admins' rules."""

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
        """Return the masking of a species. May raise Transient."""
        return self._ruling(slug(name), self.said.all())

    def cameras(self, knows: Callable[[str], bool] = lambda _: False) -> "Cameras":
        """Return the masking of every camera. May raise Transient.

        knows: whether the user may see exact locations of a gallery
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
            if depth < len(said):  # otherwise they would refer to each other
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
        # Only protection applies by the first two words: among African wild dogs and African wild
        # cats one may be exact while the other is masked.
        if alike:
            like = max(alike, key=lambda name: (alike[name], name))
            return Ruling(alike[like], "like", like)
        return Ruling(self.unlisted, "unlisted")


class Cameras:
    """The masking of each camera in km: by its name, or for its surroundings."""

    def __init__(self, by_name: Mapping[str, float], beside: Mapping[Cell, float]) -> None:
        self._by_name = by_name
        self._beside = beside
        self._told: dict[str, Place] = {}

    def coarse(self, deployment: str, place: Place) -> float:
        """Return the size of a camera's cells; 0: exact."""
        row, column = camera_cell(place)
        near = (
            self._beside.get((row + down, column + right), 0.0)
            for down in (-1, 0, 1)
            for right in (-1, 0, 1)
        )
        return max(self._by_name.get(slug(deployment), 0.0), *near)

    def told(self, deployment: str, place: Place) -> tuple[Place, float]:
        """Return a camera's location as it may be shown, and the size of its cell (0: exact).

        A masked camera has one location, from its first picture, so that pictures on both sides of
        a cell's border do not reveal that it stands there.
        """
        cell = self.coarse(deployment, place)
        if not cell:
            return place, 0.0
        return self._told.setdefault(slug(deployment), middle(place, cell)), cell


def read_list(file: Path | None) -> dict[str, float]:
    """Return grid sizes in kilometres by species from a JSON file; None: an empty one.

    Such as {"black-rhinoceros": 50, "plains-zebra": 0, "*": 50}; "*": all other species.

    Raises:
        SettingsError: it cannot be read, or is invalid.
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
    """Return the centre of a location's cell."""
    latitude = _middle(place.latitude, kilometres / KILOMETRES, 90.0)
    wide = kilometres / (KILOMETRES * max(math.cos(math.radians(latitude)), 0.01))
    return Place(latitude=latitude, longitude=_middle(place.longitude, wide, 180.0))


def _middle(degrees: float, cell: float, most: float) -> float:
    center = (math.floor(degrees / cell) + 0.5) * cell
    return round(min(max(center, -most), most), 4)


def _first_words(name: str) -> tuple[str, ...]:
    """Return a name's first two words, without accents, for comparison."""
    plain = "".join(
        each for each in unicodedata.normalize("NFD", name) if unicodedata.category(each) != "Mn"
    )
    return tuple(plain.split("-")[:WORDS])

"""A catalogue of photographs, and what was skipped."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from shared.messages import VIEWPOINT_UNSPECIFIED, Animal, Place, Viewpoint

# Names of pictures of both flanks in one encounter: 299_leftphoto.jpg.
_NUMBERED = re.compile(r"(\d+)_(?:left|right|front|back|top)", re.IGNORECASE)

# Notes and skipped files that are named; others are counted.
_NAMED = 10


@dataclass(frozen=True)
class Photograph:
    """One picture to publish. Without animals the whole picture is one sighting."""

    path: Path
    species: str = ""
    population: str = ""
    deployment: str = ""
    sequence: str = ""
    captured_at: datetime | None = None  # with time zone; None: from EXIF
    viewpoint: Viewpoint = VIEWPOINT_UNSPECIFIED
    animals: tuple[Animal, ...] = ()
    identities: tuple[str, ...] = ()  # one for each sighting; '' where unlabelled
    split: str = ""  # part of a data set, such as train
    place: Place | None = None  # None: from EXIF
    clock: timedelta = timedelta()  # added to the EXIF time

    @property
    def encounter(self) -> str:
        """The sequence, or the encounter in the file name; '' for neither."""
        numbered = _NUMBERED.match(self.path.name)
        return self.sequence or (numbered[1] if numbered else "")


@dataclass(frozen=True)
class Skipped:
    """A skipped file or row, and why.

    `fault`: it is or should be a picture. Others are notes, system files and unlisted files.
    """

    path: Path
    reason: str
    fault: bool = True


@dataclass(frozen=True)
class Catalogue:
    """Photographs in order, skipped files, and notes."""

    photographs: tuple[Photograph, ...]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...] = ()

    def first(self, limit: int | None) -> "Catalogue":
        """Return the catalogue with its first `limit` photographs; None: all."""
        return replace(self, photographs=self.photographs[:limit])

    def told(self) -> Iterator[str]:
        """Yield lines about notes and skipped files, faults first; further ones are counted."""
        yield from self.notes[:_NAMED]
        if len(self.notes) > _NAMED:
            yield f"and {len(self.notes) - _NAMED} more notes of this kind"
        skipped = sorted(self.skipped, key=lambda each: not each.fault)
        for each in skipped[:_NAMED]:
            yield f"skipped {each.path}: {each.reason}"
        if len(skipped) > _NAMED:
            yield f"skipped {len(skipped) - _NAMED} more files"

    def labelled(
        self,
        species: str | None = None,
        population: str | None = None,
        deployment: str | None = None,
        clock: timedelta | None = None,
    ) -> "Catalogue":
        """Return the catalogue with the given values; None keeps the found ones."""

        def label(photograph: Photograph) -> Photograph:
            return replace(
                photograph,
                species=photograph.species if species is None else species,
                population=photograph.population if population is None else population,
                deployment=photograph.deployment if deployment is None else deployment,
                clock=photograph.clock if clock is None else clock,
            )

        return replace(self, photographs=tuple(label(each) for each in self.photographs))

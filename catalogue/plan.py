"""Plan of an import: what can be enrolled, and what is skipped and why."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from catalogue.formats import detection
from catalogue.publishing.account import Account
from catalogue.reading.catalogue import Photograph
from catalogue.reading.limits import COMMAND, Limits
from catalogue.reading.listing import LeftOut
from catalogue.spreadsheet import safe
from shared.identifiers import gallery_name
from shared.messages import Animal


@dataclass(frozen=True)
class Plan:
    """Labelled photographs of a catalogue, and why the rest is skipped.

    rows: rows of the catalogue
    galleries: sightings and individuals per gallery
    """

    format: str
    rows: int
    photographs: Sequence[Photograph]
    left_out: Sequence[LeftOut]
    notes: Sequence[str]
    galleries: dict[str, tuple[int, int]]

    @property
    def sightings(self) -> int:
        """Sightings to be enrolled."""
        return sum(count for count, _ in self.galleries.values())


def plan(
    source: Path,
    *,
    species: str | None = None,
    population: str | None = None,
    deployment: str | None = None,
    confined: bool = False,
    limits: Limits = COMMAND,
) -> Plan:
    """Return what to enrol of a catalogue; arguments override its contents.

    `confined`, `limits`: see `formats.read`.

    Raises:
        FileNotFoundError: there is no such file or folder.
        ForeignError: it can't be read.
    """
    listing, found = detection.read(source, confined=confined, limits=limits)
    found = found.labelled(species, population, deployment)
    left = [*listing.left_out]
    left += [LeftOut(_short(each.path, source), each.reason) for each in found.skipped]
    kept = []
    for photograph in found.photographs:
        labelled, unnamed = _labelled(photograph)
        if unnamed:
            left.append(
                LeftOut(
                    _short(photograph.path, source),
                    f"{unnamed} of its animals have no identity; publish it to identify them",
                )
            )
        if labelled is not None:
            kept.append(labelled)
    return Plan(
        listing.format,
        len(listing.rows) + len(listing.left_out),
        kept,
        left,
        [*listing.notes, *found.notes],
        _galleries(kept),
    )


def not_enrolled(account: Account, source: Path) -> list[LeftOut]:
    """Return the sightings of an import that were not enrolled, with reasons."""
    told = {
        **account.dead,
        **dict.fromkeys(account.missing, "no decision arrived; `resight status` shows the backlog"),
    }
    left = [LeftOut(_short(account.published[name].path, source), told[name]) for name in told]
    return left + [LeftOut(_short(each.path, source), each.reason) for each in account.skipped]


def report(left_out: Sequence[LeftOut]) -> str:
    """Return a CSV of the skipped rows, and why."""
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(("where", "reason"))
    writer.writerows((safe(each.where), safe(each.reason)) for each in left_out)
    return written.getvalue()


def _labelled(photograph: Photograph) -> tuple[Photograph | None, int]:
    """Return a photograph with its named animals alone, if any, and how many have no name."""
    if not photograph.animals:
        return (photograph, 0) if any(photograph.identities) else (None, 1)
    named = [
        (animal, identity)
        for animal, identity in zip(photograph.animals, photograph.identities, strict=True)
        if identity
    ]
    unnamed = len(photograph.animals) - len(named)
    if not named:
        return None, unnamed
    animals, identities = zip(*named, strict=True)
    return replace(photograph, animals=animals, identities=identities), unnamed


def _galleries(kept: Sequence[Photograph]) -> dict[str, tuple[int, int]]:
    sightings: Counter[str] = Counter()
    individuals: dict[str, set[str]] = {}
    for photograph in kept:
        for animal, identity in zip(
            photograph.animals or (Animal(),), photograph.identities, strict=True
        ):
            name = gallery_name(photograph.population, animal.species or photograph.species)
            sightings[name] += 1
            individuals.setdefault(name, set()).add(identity)
    return {name: (count, len(individuals[name])) for name, count in sorted(sightings.items())}


def _short(path: Path, source: Path) -> str:
    return str(path.relative_to(source)) if path.is_relative_to(source) else str(path)

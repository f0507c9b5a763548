"""Plans which animal passes which camera when, before anything is drawn."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import numpy as np

Flank = Literal["left", "right"]

START = datetime(2025, 5, 1)
DAYS = 90
SEEN_ONCE = 0.1  # of the individuals
BURST = 0.25  # of the encounters have a second picture a few seconds later
PAIRS = 0.06  # of the pictures show two animals


@dataclass(frozen=True)
class Individual:
    """One animal; `number` is its seed."""

    number: int
    identity: str
    species: str


@dataclass(frozen=True)
class Sight:
    """One animal in a picture, and the flank facing the camera."""

    individual: Individual
    flank: Flank


@dataclass(frozen=True)
class Shot:
    """One picture to draw; `camera` is the deployment's number, from 0."""

    taken: datetime
    camera: int
    sequence: str
    sights: tuple[Sight, ...]


@dataclass(frozen=True)
class _Encounter:
    sight: Sight
    pictures: int


def plan(
    *, individuals: int, sightings: float, species: Sequence[str], cameras: int, seed: int
) -> tuple[Shot, ...]:
    """Return the pictures of one season in order of time.

    There are `individuals * sightings` sightings, rounded. A tenth of the individuals,
    but at least one, is seen once, the others at least twice.

    Raises:
        ValueError: fewer than two individuals, or two sightings for each.
    """
    if individuals < 2 or sightings < 2 or cameras < 1 or not species:
        raise ValueError(
            f"{individuals} individuals of {len(species)} species with {sightings} sightings each "
            f"at {cameras} cameras: at least 2, 1, 2 and 1 are needed"
        )
    rng = np.random.default_rng((seed, 1))
    herd = [
        Individual(number, f"{kind.split()[-1]}-{number // len(species) + 1:02d}", kind)
        for number, kind in zip(range(individuals), _cycled(species), strict=False)
    ]
    once = max(1, round(individuals * SEEN_ONCE))
    rest = round(individuals * sightings) - once - 2 * (individuals - once)
    extra = rng.multinomial(rest, np.full(individuals - once, 1 / (individuals - once)))
    counts = rng.permutation(np.concatenate([np.ones(once, int), 2 + extra]))
    encounters = [
        encounter
        for individual, count in zip(herd, counts, strict=True)
        for encounter in _encounters(individual, int(count), rng)
    ]
    return _season(encounters, cameras, rng)


def _cycled(species: Sequence[str]) -> Iterator[str]:
    while True:
        yield from species


def _encounters(
    individual: Individual, count: int, rng: np.random.Generator
) -> Iterator[_Encounter]:
    """Yield encounters of `count` pictures in all; most animals show mostly one flank."""
    left = rng.choice([0.08, 0.92]) if rng.random() < 0.75 else 0.5
    while count > 0:
        pictures = min(count, 2 if rng.random() < BURST else 1)
        flank: Flank = "left" if rng.random() < left else "right"
        yield _Encounter(Sight(individual, flank), pictures)
        count -= pictures


def _season(
    encounters: Sequence[_Encounter], cameras: int, rng: np.random.Generator
) -> tuple[Shot, ...]:
    shots: list[Shot] = []
    for number, group in enumerate(_companies(encounters, rng)):
        taken = START + timedelta(
            days=int(rng.integers(DAYS)), seconds=int(rng.integers(24 * 3600))
        )
        camera = int(rng.integers(cameras))
        for _ in range(group[0].pictures):
            sights = tuple(encounter.sight for encounter in group)
            shots.append(Shot(taken, camera, f"s{number + 1:04d}", sights))
            taken += timedelta(seconds=int(rng.integers(2, 9)))
    return tuple(sorted(shots, key=lambda shot: (shot.taken, shot.camera)))


def _companies(
    encounters: Sequence[_Encounter], rng: np.random.Generator
) -> Iterator[tuple[_Encounter, ...]]:
    """Yield each encounter alone, or with another animal of its species."""
    waiting = [encounters[index] for index in rng.permutation(len(encounters))]
    pairs = round(len(encounters) * PAIRS)
    while waiting:
        first = waiting.pop()
        others = [
            other
            for other in waiting
            if other.pictures == first.pictures
            and other.sight.individual.species == first.sight.individual.species
            and other.sight.individual != first.sight.individual
        ]
        if pairs and others:
            waiting.remove(others[0])
            pairs -= 1
            yield first, others[0]
        else:
            yield (first,)

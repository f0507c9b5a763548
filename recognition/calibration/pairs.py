"""Labelled sightings, and their pairs, split by individual."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recognition.data.labelled_stream import LabelledSighting
from services.registry.features.evidence import features

FOLDS = 5


def species_of(individual: str) -> str:
    """Return the species of an individual named species/identity."""
    return individual.partition("/")[0]


@dataclass(frozen=True)
class LabelledQuery:
    """One sighting, and its animal's name: species/identity, as species may share names."""

    individual: str
    labelled: LabelledSighting

    @property
    def species(self) -> str:
        """The animal's species."""
        return species_of(self.individual)


def labelled_queries(species: Mapping[str, Sequence[LabelledSighting]]) -> list[LabelledQuery]:
    """Return the sightings of all species, in their order."""
    return [
        LabelledQuery(f"{name}/{labelled.identity}", labelled)
        for name, sightings in species.items()
        for labelled in sightings
    ]


def folds(individuals: Iterable[str], seed: int = 0) -> dict[str, int]:
    """Assign individuals to at most `FOLDS` folds; all of an animal is in one."""
    names = sorted(set(individuals))
    random.Random(seed).shuffle(names)  # noqa: S311 - a fixed order, no secret
    count = min(FOLDS, len(names))
    return {name: index % count for index, name in enumerate(names)}


@dataclass(frozen=True)
class Pairs:
    """Queries with their candidates: features [N, F], same individual? [N], fold [N]."""

    features: NDArray[np.float64]
    labels: NDArray[np.bool_]
    folds: NDArray[np.int64]

    @classmethod
    def of(cls, found: Sequence[LabelledQuery], dealt: Mapping[str, int]) -> Self:
        """Return every pair of the queries.

        Use all pairs as in service: with fewer negatives, probabilities would rise.
        """
        return cls(
            np.concatenate([features(query.labelled.evidence) for query in found]),
            np.concatenate([query.labelled.labels() for query in found]),
            np.repeat(
                [dealt[query.individual] for query in found],
                [len(query.labelled.evidence) for query in found],
            ),
        )

    def where(self, chosen: NDArray[np.bool_]) -> "Pairs":
        """Return the selected pairs, bool [N]."""
        return Pairs(self.features[chosen], self.labels[chosen], self.folds[chosen])

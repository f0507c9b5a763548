"""Labelled arrivals, and the pairs of pictures in them, parted by individual."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recognition.data.labelled_stream import Arrival
from services.registry.features.evidence import features

FOLDS = 5


@dataclass(frozen=True)
class Case:
    """One arrival, and its animal's name: species/identity, as species may share names."""

    individual: str
    arrival: Arrival

    @property
    def species(self) -> str:
        """The animal's species."""
        return self.individual.partition("/")[0]


def cases(species: Mapping[str, Sequence[Arrival]]) -> list[Case]:
    """Return the arrivals of all species, in their order."""
    return [
        Case(f"{name}/{arrival.identity}", arrival)
        for name, arrived in species.items()
        for arrival in arrived
    ]


def folds(individuals: Iterable[str], seed: int = 0) -> dict[str, int]:
    """Deal individuals into at most `FOLDS` folds; all of an animal is in one."""
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
    def of(cls, found: Sequence[Case], dealt: Mapping[str, int]) -> Self:
        """Return every pair of the cases.

        They should come as they come in service: if negatives are thinned out, the
        probabilities rise.
        """
        return cls(
            np.concatenate([features(case.arrival.evidence) for case in found]),
            np.concatenate([case.arrival.labels() for case in found]),
            np.repeat(
                [dealt[case.individual] for case in found],
                [len(case.arrival.evidence) for case in found],
            ),
        )

    def where(self, chosen: NDArray[np.bool_]) -> "Pairs":
        """Return the chosen pairs, bool [N]."""
        return Pairs(self.features[chosen], self.labels[chosen], self.folds[chosen])

"""Labelled sightings of one gallery as the registry would keep them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recognition.calibration.groups import training_groups
from recognition.data.labelled_stream import LabelledSighting
from services.registry.calibration.affinity import PairTable
from services.registry.features.comparisons import Comparisons
from services.registry.features.evidence import ScoreStatistics


@dataclass(frozen=True)
class Stream:
    """Each sighting's comparisons, by enrolment number, and its individual, in order."""

    lists: dict[int, Comparisons]
    identities: tuple[str, ...]

    @cached_property
    def pairs(self) -> PairTable:
        """Its comparisons, prepared for changing individuals."""
        return PairTable(self.lists)

    @cached_property
    def groups(self) -> NDArray[np.int64]:
        """Its individuals as training assumes them, int64 [N]."""
        return training_groups(self.pairs, self.identities)

    def first(self, count: int | None) -> "Stream":
        """Return the first sightings of the stream; None: all."""
        numbers = list(self.lists)[:count]
        return Stream({number: self.lists[number] for number in numbers}, self.identities[:count])

    @classmethod
    def of(cls, sightings: Sequence[LabelledSighting]) -> Self:
        """Return the stream of a gallery's sightings, all enrolled in order."""
        lists: dict[int, Comparisons] = {}
        candidate_statistics: dict[int, ScoreStatistics] = {}
        for labelled in sightings:
            compared = Comparisons.of(labelled.evidence, candidate_statistics, labelled.votes)
            lists[labelled.number] = compared
            candidate_statistics[labelled.number] = compared.statistics
        return cls(lists, tuple(labelled.identity for labelled in sightings))


def streams(sightings: Iterable[LabelledSighting]) -> list[Stream]:
    """Return a stream per gallery, and another wherever a gallery's numbers restart.

    They restart where another folder's pictures begin, with an empty gallery.
    """
    every: list[list[LabelledSighting]] = []
    latest: dict[str, list[LabelledSighting]] = {}
    for labelled in sightings:
        if labelled.number == 1 or labelled.gallery not in latest:
            latest[labelled.gallery] = []
            every.append(latest[labelled.gallery])
        latest[labelled.gallery].append(labelled)
    return [Stream.of(found) for found in every]

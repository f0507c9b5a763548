"""Labelled arrivals of one gallery as the registry would keep them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from recognition.data.labelled_stream import Arrival
from services.registry.features.comparisons import Comparisons
from services.registry.features.evidence import Standing


@dataclass(frozen=True)
class Stream:
    """What each sighting was compared with, by enrolment number; and whose each is, in order."""

    lists: dict[int, Comparisons]
    identities: tuple[str, ...]

    def first(self, count: int | None) -> "Stream":
        """Return the stream as it was after so many sightings; None: all of it."""
        numbers = list(self.lists)[:count]
        return Stream({number: self.lists[number] for number in numbers}, self.identities[:count])

    @classmethod
    def of(cls, arrived: Sequence[Arrival]) -> Self:
        """Return the stream of a gallery's arrivals, all of them enrolled in their order."""
        lists: dict[int, Comparisons] = {}
        standings: dict[int, Standing] = {}
        for arrival in arrived:
            compared = Comparisons.of(arrival.evidence, standings)
            lists[arrival.number] = compared
            standings[arrival.number] = compared.standing
        return cls(lists, tuple(arrival.identity for arrival in arrived))


def streams(arrived: Iterable[Arrival]) -> list[Stream]:
    """Return a stream for each gallery, and one more wherever a gallery's numbers begin again.

    They do where the pictures of another folder begin, over an empty gallery.
    """
    every: list[list[Arrival]] = []
    latest: dict[str, list[Arrival]] = {}
    for arrival in arrived:
        if arrival.number == 1 or arrival.gallery not in latest:
            latest[arrival.gallery] = []
            every.append(latest[arrival.gallery])
        latest[arrival.gallery].append(arrival)
    return [Stream.of(found) for found in every]

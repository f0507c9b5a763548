"""The gallery: all enrolled sightings that a query may match.

Two engines implement it, both Qdrant: `edge.py` in this process, `server.py` over the network.
Vectors of different models never share a collection.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.lookup.galleries.descriptor_index import DescriptorIndex
from services.lookup.galleries.descriptors import Neighbours
from services.lookup.galleries.mark import Mark
from shared.messages import Candidate, Enrolment, Viewpoint


@dataclass(frozen=True)
class Query:
    """One sighting's search: in its gallery, without itself and one viewpoint."""

    gallery: str
    sighting_id: str
    vector: NDArray[np.float32]  # [512]
    hidden: Viewpoint | None  # a viewpoint to exclude, if any


class Gallery(Protocol):
    """The galleries of one model; an argument `gallery` names one of them.

    Every method raises Transient when the engine does not respond properly.
    """

    def enrol(self, enrolments: Sequence[Enrolment]) -> None:
        """Make enrolments searchable and durable before returning. Idempotent.

        Raises:
            Poison: an embedding is malformed.
        """

    def numbers(self, gallery: str, above: int, up_to: int) -> frozenset[int]:
        """Return the enrolment numbers present in `above` < number <= `up_to`."""

    def mark(self, gallery: str) -> Mark:
        """Return the last `set_mark`; 0 of no epoch at first."""

    def set_mark(self, gallery: str, mark: Mark) -> None:
        """Store up to which number of which epoch all enrolments are searchable."""

    def forget(self, gallery: str) -> None:
        """Remove all enrolments of a gallery; its mark stays."""

    def search(self, queries: Sequence[Query], limit: int) -> list[list[Candidate]]:
        """Return for each query its nearest sightings by cosine, best first."""

    def nearest(self, queries: Sequence[Query], limit: int) -> list[Neighbours]:
        """Return what `search` does, but only points and cosines, which takes less time."""

    def named(self, points: Sequence[str], vector: NDArray[np.float32]) -> list[Candidate]:
        """Return the sightings of these points, with their cosine to a vector; in any order."""

    def count(self, query: Query) -> int:
        """Return the exact number of sightings that the query may be compared with."""


class Galleries(Protocol):
    """The galleries of all models in one engine."""

    def open(self, model: str) -> Gallery:
        """Return the galleries of a model, created if necessary.

        Raises:
            Transient: the engine does not respond.
        """

    def local(self, extractor: str, length: int) -> DescriptorIndex:
        """Return the index of an extractor's descriptors of this length, created if necessary.

        Raises:
            Transient: the engine does not respond.
        """

    def forget_local(self, gallery: str) -> None:
        """Remove all descriptors of a gallery.

        Raises:
            Transient: the engine does not respond.
        """

    def empty(self) -> bool:
        """Return whether no sighting is enrolled under any model."""

    def ready(self) -> bool:
        """Return whether the engine responds."""

    def close(self) -> None:
        """Close the engine."""

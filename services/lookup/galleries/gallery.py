"""The gallery: all enrolled sightings that a query may match.

Two engines implement it, both Qdrant: `edge.py` in this process, `server.py` over the network.
Vectors of different models never share a collection.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from shared.identifiers import slug
from shared.messages import Candidate, Enrolment, Viewpoint

# Prefix of every collection's name; other systems may share the server.
SHELVES = "resight-"


@dataclass(frozen=True)
class Mark:
    """Progress of a gallery: all enrolments up to `watermark` of an epoch are searchable."""

    epoch: str = ""
    watermark: int = 0


def collection_of(gallery: str, epoch: str) -> str:
    """Return the name under which an epoch's enrolments of a gallery are stored."""
    return f"{gallery} {epoch}" if epoch else gallery


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

    def count(self, query: Query) -> int:
        """Return the exact number of sightings that the query may be compared with."""


class Galleries(Protocol):
    """The galleries of all models in one engine."""

    def open(self, model: str) -> Gallery:
        """Return the galleries of a model, created if necessary.

        Raises:
            Transient: the engine does not respond.
        """

    def empty(self) -> bool:
        """Return whether no sighting is enrolled under any model."""

    def ready(self) -> bool:
        """Return whether the engine responds."""

    def close(self) -> None:
        """Close the engine."""


def collection_name(model: str) -> str:
    """Return a valid collection or folder name for a model."""
    digest = hashlib.sha256(model.encode()).hexdigest()[:12]
    plain = slug(model).encode("ascii", "ignore").decode()[:80]
    return f"{SHELVES}{plain}-{digest}"

"""The gallery: all enrolled sightings among which a query may match.

Two engines keep it, both Qdrant: `edge.py` inside this process, `server.py` over
the network. Vectors of different models never share a collection.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from shared.identifiers import slug
from shared.messages import Candidate, Enrolment, Viewpoint

# What every collection's name begins with; other systems may share the server.
SHELVES = "resight-"


@dataclass(frozen=True)
class Mark:
    """How far a gallery is: all enrolments up to `watermark` of an epoch are searchable."""

    epoch: str = ""
    watermark: int = 0


def collection_of(gallery: str, epoch: str) -> str:
    """Return under which name an epoch's enrolments of a gallery lie, apart from every other's."""
    return f"{gallery} {epoch}" if epoch else gallery


@dataclass(frozen=True)
class Query:
    """What one sighting is compared with: its gallery, less itself and one viewpoint."""

    gallery: str
    sighting_id: str
    vector: NDArray[np.float32]  # [512]
    hidden: Viewpoint | None  # the viewpoint it can't be compared with, if any


class Gallery(Protocol):
    """The galleries of one model; an argument `gallery` names one of them.

    Every method raises Transient when the engine does not answer as it should.
    """

    def enrol(self, enrolments: Sequence[Enrolment]) -> None:
        """Make enrolments searchable; they are when this returns, and survive a crash.

        The same enrolment again changes nothing.

        Raises:
            Poison: an embedding is malformed.
        """

    def numbers(self, gallery: str, above: int, up_to: int) -> frozenset[int]:
        """Return the enrolment numbers held in `above` < number <= `up_to`."""

    def mark(self, gallery: str) -> Mark:
        """Return what `set_mark` last wrote; 0 of no epoch at first."""

    def set_mark(self, gallery: str, mark: Mark) -> None:
        """Write up to which number of which epoch all enrolments are searchable."""

    def forget(self, gallery: str) -> None:
        """Remove all enrolments of a gallery; its mark stays."""

    def search(self, queries: Sequence[Query], limit: int) -> list[list[Candidate]]:
        """Return for each query its nearest sightings by cosine, best first."""

    def count(self, query: Query) -> int:
        """Return exactly how many sightings the query may be compared with."""


class Galleries(Protocol):
    """The galleries of all models in one engine."""

    def open(self, model: str) -> Gallery:
        """Return the galleries of a model, made when there are none yet.

        Raises:
            Transient: the engine does not answer.
        """

    def empty(self) -> bool:
        """Return whether no sighting is enrolled under any model."""

    def ready(self) -> bool:
        """Return whether the engine answers."""

    def close(self) -> None:
        """Let go of the engine."""


def collection_name(model: str) -> str:
    """Return the collection's or folder's name for a model, whatever the model is called."""
    digest = hashlib.sha256(model.encode()).hexdigest()[:12]
    plain = slug(model).encode("ascii", "ignore").decode()[:80]
    return f"{SHELVES}{plain}-{digest}"

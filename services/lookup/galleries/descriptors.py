"""Layout of descriptors in Qdrant: one point each; the same in both engines.

The ID of a sighting's point can be read from those of its descriptors, since reading a payload
takes longer than the search.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.lookup.galleries.points import GALLERY, point_id
from shared.messages import VIEWPOINT_LEFT, VIEWPOINT_RIGHT, Viewpoint

# Of a picture's keypoints, the strongest are indexed, and ask.
MOST = 64
# Neighbours of each keypoint that are searched for. Several may be of one sighting.
NEIGHBOURS = 16
# HNSW's parameters: edges per node, search width during construction, and of a query.
GRAPH_DEGREE, EF_CONSTRUCT, EF = 16, 64, 32
# Parts of a segment with fewer descriptors are searched exactly; the graph is faster from 1,000 on.
EXACT_BELOW = 1_000

# A gallery is searched by flank, which is faster than to filter neighbours by their viewpoint.
PARTS = {VIEWPOINT_LEFT: "left", VIEWPOINT_RIGHT: "right"}
REST = "rest"

# The bits of a UUID that are the same in all of its version (RFC 9562), and their values.
_VERSION, _VARIANT = 76, 62
_FIXED = 0xF << _VERSION | 0b11 << _VARIANT
_VERSION_5 = 5 << _VERSION | 0b10 << _VARIANT


@dataclass(frozen=True)
class Described:
    """A sighting of a gallery with its descriptors, float32 [K, D], L2-normalised."""

    gallery: str
    sighting_id: str
    viewpoint: Viewpoint
    descriptors: NDArray[np.float32]


@dataclass(frozen=True)
class DescriptorQuery:
    """Descriptors that ask in a gallery, float32 [K, D]; `hidden`: a viewpoint to exclude."""

    gallery: str
    sighting_id: str
    descriptors: NDArray[np.float32]
    hidden: Viewpoint | None


# Points of sightings as integers, with the cosine, most similar first.
Neighbours = Sequence[tuple[int, float]]


def points(described: Described) -> Iterator[tuple[str, list[float], dict[str, Any]]]:
    """Yield ID, vector and payload of each descriptor; the same sighting gives the same IDs."""
    sighting = point_id(described.gallery, described.sighting_id)
    payload = {GALLERY: part_of(described.gallery, described.viewpoint)}
    for number, row in enumerate(described.descriptors[:MOST].tolist()):
        yield descriptor_id(sighting, number), row, payload


def part_of(gallery: str, viewpoint: Viewpoint) -> str:
    """Return the part of a gallery in which descriptors of this viewpoint are."""
    return f"{gallery}\n{PARTS.get(viewpoint, REST)}"


def parts_of(gallery: str, hidden: Viewpoint | None = None) -> list[str]:
    """Return all parts of a gallery but that of a hidden flank."""
    shown = [name for viewpoint, name in PARTS.items() if viewpoint != hidden]
    return [f"{gallery}\n{name}" for name in (*shown, REST)]


def descriptor_id(sighting: str, number: int) -> str:
    """Return the ID of a sighting's descriptor, `number` < 64."""
    told = number >> 2 << _VERSION | (number & 0b11) << _VARIANT
    return str(uuid.UUID(int=uuid.UUID(sighting).int & ~_FIXED | told))


def sighting_of(descriptor: int) -> int:
    """Return the ID of the sighting's point that a descriptor belongs to, both as integers."""
    return descriptor & ~_FIXED | _VERSION_5


def number_of(point: uuid.UUID | int | str) -> int:
    """Return a point's ID as an integer; the engines give it in different types."""
    return point.int if isinstance(point, uuid.UUID) else uuid.UUID(str(point)).int


def asked(
    queries: Sequence[DescriptorQuery], parts: Sequence[Sequence[str]]
) -> Iterator[tuple[str, list[float]]]:
    """Yield what is searched for: each descriptor in each of its query's `parts`."""
    for query, own in zip(queries, parts, strict=True):
        for row in query.descriptors[:MOST].tolist():
            for part in own:
                yield part, row


def by_query(
    queries: Sequence[DescriptorQuery],
    parts: Sequence[Sequence[str]],
    answers: Iterator[Neighbours],
) -> list[list[Neighbours]]:
    """Return the answers to `asked` by query and descriptor, without the query's own.

    `answers` are IDs of descriptors with their cosine.
    """
    found: list[list[Neighbours]] = []
    for query, searched in zip(queries, parts, strict=True):
        own = uuid.UUID(point_id(query.gallery, query.sighting_id)).int
        rows: list[Neighbours] = []
        for _ in query.descriptors[:MOST]:
            every = [each for _ in searched for each in next(answers)]
            best = sorted(every, key=lambda each: -each[1])[:NEIGHBOURS]
            named = [(sighting_of(name), cosine) for name, cosine in best]
            rows.append([each for each in named if each[0] != own])
        found.append(rows)
    return found


def full_scan_kilobytes(length: int) -> int:
    """Return Qdrant's threshold in kB for exact search, for descriptors of this length."""
    return max(10, EXACT_BELOW * length * 4 // 1024)

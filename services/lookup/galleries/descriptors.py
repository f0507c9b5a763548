"""Layout of descriptors in Qdrant: one point each; the same in both engines.

A point names its sighting's point, so that a vote leads to a candidate.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.lookup.galleries.points import GALLERY, VIEWPOINT, point_id
from shared.messages import Viewpoint

# Of a picture's keypoints, the strongest are indexed, and ask.
MOST = 64
# Neighbours of each keypoint that are searched for. Several may be of one sighting.
NEIGHBOURS = 16
# HNSW's parameters: edges per node, search width during construction, and of a query.
GRAPH_DEGREE, EF_CONSTRUCT, EF = 16, 64, 32
# Galleries of fewer descriptors are searched exactly, about 300 sightings.
EXACT_BELOW = 20_000
OF = "of"


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


# For one keypoint: points of sightings, with the cosine, most similar first.
Neighbours = Sequence[tuple[str, float]]


def points(described: Described) -> Iterator[tuple[str, list[float], dict[str, Any]]]:
    """Yield ID, vector and payload of each descriptor; the same sighting gives the same IDs."""
    of = point_id(described.gallery, described.sighting_id)
    base = uuid.UUID(of).int & ~(MOST - 1)
    payload = {GALLERY: described.gallery, VIEWPOINT: int(described.viewpoint), OF: of}
    for number, row in enumerate(described.descriptors[:MOST].tolist()):
        yield str(uuid.UUID(int=base | number)), row, payload


def by_query(
    queries: Sequence[DescriptorQuery], answers: Iterator[Neighbours]
) -> list[list[Neighbours]]:
    """Return the answers to all descriptors by query, without the query's own."""
    found: list[list[Neighbours]] = []
    for query in queries:
        own = point_id(query.gallery, query.sighting_id)
        found.append(
            [
                [(of, cosine) for of, cosine in next(answers) if of != own]
                for _ in query.descriptors[:MOST]
            ]
        )
    return found


def full_scan_kilobytes(length: int) -> int:
    """Return Qdrant's threshold in kB for exact search, for descriptors of this length."""
    return max(10, EXACT_BELOW * length * 4 // 1024)

"""Interface of an index of descriptors; two engines implement it, both Qdrant."""

from collections.abc import Sequence
from typing import Protocol

from services.lookup.galleries.descriptors import Described, DescriptorQuery, Neighbours


class DescriptorIndex(Protocol):
    """Descriptors of all galleries, of one extractor.

    Every method raises Transient when the engine does not respond properly.
    """

    def enrol(self, described: Sequence[Described]) -> None:
        """Make descriptors searchable and durable before returning. Idempotent."""

    def nearest(self, queries: Sequence[DescriptorQuery]) -> list[list[Neighbours]]:
        """Return for each query and keypoint its nearest descriptors of other sightings."""

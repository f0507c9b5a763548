"""An index of descriptors in Qdrant Edge: the engine runs in this process, on a local folder."""

from collections.abc import Sequence
from pathlib import Path

import qdrant_edge as qdrant

from services.lookup.galleries.descriptors import (
    EF,
    MOST,
    NEIGHBOURS,
    OF,
    Described,
    DescriptorQuery,
    Neighbours,
    by_query,
    points,
)
from services.lookup.galleries.live_shard import LiveShard
from services.lookup.galleries.points import GALLERY, VIEWPOINT
from services.lookup.settings import GallerySettings

# A shard of this size is optimised within seconds. Later descriptors are searched exactly, which
# takes as long as all others when there are as many; so they are optimised, too.
QUICK_BELOW = UNOPTIMISED = 500 * MOST


class EdgeDescriptors:
    """The descriptors of one extractor in one shard; see `descriptor_index`."""

    def __init__(self, folder: Path, settings: GallerySettings) -> None:
        self._shard = LiveShard(folder, settings, QUICK_BELOW)
        self._written = 0

    def optimise(self) -> None:
        """Build graphs, in the background if that takes long."""
        self._written = 0
        self._shard.optimise()

    def close(self) -> None:
        """Close the shard."""
        self._shard.close()

    def enrol(self, described: Sequence[Described]) -> None:
        new = [qdrant.Point(*point) for each in described for point in points(each)]
        if not new:
            return
        self._shard.upsert(new)
        self._shard.flush()
        self._written += len(new)
        if self._written > UNOPTIMISED:
            self.optimise()

    def nearest(self, queries: Sequence[DescriptorQuery]) -> list[list[Neighbours]]:
        asked = [
            qdrant.QueryRequest(
                limit=NEIGHBOURS,
                query=qdrant.Query.Nearest(row),
                filter=_comparable(query),
                with_payload=[OF],
                params=qdrant.SearchParams(
                    hnsw_ef=EF, quantization=qdrant.QuantizationSearchParams(rescore=False)
                ),
            )
            for query in queries
            for row in query.descriptors[:MOST].tolist()
        ]
        answers = iter(self._shard.current().query_batch(qdrant.QueryBatchRequest(asked)))
        hits = ([((hit.payload or {})[OF], hit.score) for hit in answer] for answer in answers)
        return by_query(queries, hits)

    def forget(self, gallery: str) -> None:
        self._shard.delete(qdrant.Filter(must=[_equals(GALLERY, gallery)]))


def _equals(key: str, value: str | int) -> qdrant.FieldCondition:
    return qdrant.FieldCondition(key, match=qdrant.MatchValue(value))


def _comparable(query: DescriptorQuery) -> qdrant.Filter:
    never: list[qdrant.ConditionType] = []
    if query.hidden is not None:
        never.append(_equals(VIEWPOINT, int(query.hidden)))
    return qdrant.Filter(must=[_equals(GALLERY, query.gallery)], must_not=never)

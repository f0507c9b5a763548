"""An index of descriptors in Qdrant Edge: the engine runs in this process, on a local folder."""

from collections.abc import Sequence
from pathlib import Path

import qdrant_edge as qdrant

from services.lookup.galleries.descriptors import (
    EF,
    MOST,
    NEIGHBOURS,
    Described,
    DescriptorQuery,
    Neighbours,
    by_query,
    number_of,
    points,
)
from services.lookup.galleries.points import GALLERY, VIEWPOINT

# Descriptors written since the last optimisation are searched exactly, 1 ms for 400. Optimising 100
# sightings takes 0.3 s in a gallery of 1,000, and 5 s in one of 10,000. Small ones are sent whole.
UNOPTIMISED, FIRST = 100 * MOST, 500 * MOST


class EdgeDescriptors:
    """The descriptors of one extractor in one shard; see `descriptor_index`."""

    def __init__(self, folder: Path) -> None:
        self._shard = qdrant.EdgeShard.load(str(folder))

    def optimise(self) -> None:
        """Build graphs for what was written."""
        info = self._shard.info()
        written = info.points_count - info.indexed_vectors_count
        if info.points_count >= FIRST and written > UNOPTIMISED:
            self._shard.optimize()

    def close(self) -> None:
        """Close the shard."""
        self._shard.close()

    def enrol(self, described: Sequence[Described]) -> None:
        new = [qdrant.Point(*point) for each in described for point in points(each)]
        if not new:
            return
        self._shard.update(qdrant.UpdateOperation.upsert_points(new))
        self._shard.flush()
        self.optimise()

    def nearest(self, queries: Sequence[DescriptorQuery]) -> list[list[Neighbours]]:
        asked = [
            qdrant.QueryRequest(
                limit=NEIGHBOURS,
                query=qdrant.Query.Nearest(row),
                filter=_comparable(query),
                with_payload=False,
                params=qdrant.SearchParams(
                    hnsw_ef=EF, quantization=qdrant.QuantizationSearchParams(rescore=False)
                ),
            )
            for query in queries
            for row in query.descriptors[:MOST].tolist()
        ]
        answers = iter(self._shard.query_batch(qdrant.QueryBatchRequest(asked)))
        hits = ([(number_of(hit.id), hit.score) for hit in answer] for answer in answers)
        return by_query(queries, hits)

    def forget(self, gallery: str) -> None:
        those = qdrant.Filter(must=[_equals(GALLERY, gallery)])
        self._shard.update(qdrant.UpdateOperation.delete_points_by_filter(those))
        self._shard.flush()


def _equals(key: str, value: str | int) -> qdrant.FieldCondition:
    return qdrant.FieldCondition(key, match=qdrant.MatchValue(value))


def _comparable(query: DescriptorQuery) -> qdrant.Filter:
    never: list[qdrant.ConditionType] = []
    if query.hidden is not None:
        never.append(_equals(VIEWPOINT, int(query.hidden)))
    return qdrant.Filter(must=[_equals(GALLERY, query.gallery)], must_not=never)

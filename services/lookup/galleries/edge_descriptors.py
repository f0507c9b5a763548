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
    asked,
    by_query,
    number_of,
    parts_of,
    points,
)
from services.lookup.galleries.points import GALLERY

# Descriptors written since the last optimisation are searched exactly, 1 ms for 400. Optimising 100
# sightings takes 2 s in a gallery of 2,000, and 6 s in one of 10,000. Small ones are sent whole.
UNOPTIMISED, FIRST = 100 * MOST, 500 * MOST

PARAMS = qdrant.SearchParams(
    hnsw_ef=EF, quantization=qdrant.QuantizationSearchParams(rescore=False)
)


class EdgeDescriptors:
    """The descriptors of one extractor in one shard; see `descriptor_index`."""

    def __init__(self, folder: Path) -> None:
        self._shard = qdrant.EdgeShard.load(str(folder))
        self._filled: set[str] = set()

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
        parts = [self._filled_parts(query) for query in queries]
        requests = [
            qdrant.QueryRequest(
                limit=NEIGHBOURS,
                query=qdrant.Query.Nearest(row),
                filter=_within([part]),
                with_payload=False,
                params=PARAMS,
            )
            for part, row in asked(queries, parts)
        ]
        answers = self._shard.query_batch(qdrant.QueryBatchRequest(requests)) if requests else []
        hits = ([(number_of(hit.id), hit.score) for hit in answer] for answer in answers)
        return by_query(queries, parts, hits)

    def _filled_parts(self, query: DescriptorQuery) -> list[str]:
        """Return the parts of a query's gallery that hold anything."""
        parts = parts_of(query.gallery, query.hidden)
        for part in parts:
            if part not in self._filled:
                request = qdrant.CountRequest(exact=True, filter=_within([part]))
                if self._shard.count(request):
                    self._filled.add(part)
        return [part for part in parts if part in self._filled]

    def forget(self, gallery: str) -> None:
        """Remove all descriptors of a gallery."""
        self._filled.difference_update(parts_of(gallery))
        those = _within(parts_of(gallery))
        self._shard.update(qdrant.UpdateOperation.delete_points_by_filter(those))
        self._shard.flush()


def _within(parts: list[str]) -> qdrant.Filter:
    one = len(parts) == 1
    match = qdrant.MatchValue(parts[0]) if one else qdrant.MatchAny(parts)
    return qdrant.Filter(must=[qdrant.FieldCondition(GALLERY, match=match)])

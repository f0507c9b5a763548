"""An index of descriptors in a Qdrant server or cluster."""

from collections.abc import Iterator, Sequence

from qdrant_client import QdrantClient, models

from services.lookup.galleries.descriptors import (
    EF,
    EF_CONSTRUCT,
    GRAPH_DEGREE,
    NEIGHBOURS,
    Described,
    DescriptorQuery,
    Neighbours,
    asked,
    by_query,
    full_scan_kilobytes,
    number_of,
    parts_of,
    points,
)
from services.lookup.galleries.points import GALLERY
from services.lookup.galleries.server_connection import (
    create_once,
    equals,
    index_galleries,
    qdrant_errors,
    upsert,
)
from services.lookup.settings import GallerySettings

# Points of one request; a sighting has 64.
TOGETHER = 2048


class ServerDescriptors:
    """The descriptors of one extractor in one collection; see `descriptor_index`.

    Raises:
        Transient: Qdrant does not respond.
    """

    def __init__(
        self, client: QdrantClient, collection: str, length: int, settings: GallerySettings
    ) -> None:
        self._client = client
        self._collection = collection
        self._timeout = settings.timeout_seconds
        with qdrant_errors(f"opening collection {collection}"):
            create_once(
                client,
                collection,
                vectors_config=models.VectorParams(
                    size=length,
                    distance=models.Distance.DOT,
                    on_disk=True,
                    datatype=models.Datatype.FLOAT16,
                ),
                quantization_config=models.ScalarQuantization(
                    scalar=models.ScalarQuantizationConfig(
                        type=models.ScalarType.INT8, quantile=0.99, always_ram=True
                    )
                ),
                hnsw_config=models.HnswConfigDiff(
                    m=0,
                    payload_m=GRAPH_DEGREE,
                    ef_construct=EF_CONSTRUCT,
                    full_scan_threshold=full_scan_kilobytes(length),
                ),
                replication_factor=settings.replicas,
                write_consistency_factor=settings.replicas,
                timeout=settings.timeout_seconds,
            )
            index_galleries(client, collection)

    def enrol(self, described: Sequence[Described]) -> None:
        new = [
            models.PointStruct(id=name, vector=vector, payload=told)
            for each in described
            for name, vector, told in points(each)
        ]
        for start in range(0, len(new), TOGETHER):
            some = new[start : start + TOGETHER]
            upsert(self._client, self._collection, some, self._timeout)

    def nearest(self, queries: Sequence[DescriptorQuery]) -> list[list[Neighbours]]:
        params = models.SearchParams(
            hnsw_ef=EF, quantization=models.QuantizationSearchParams(rescore=False)
        )
        parts = [parts_of(query.gallery, query.hidden) for query in queries]
        requests = [
            models.QueryRequest(
                query=row,
                limit=NEIGHBOURS,
                filter=models.Filter(must=[equals(GALLERY, part)]),
                with_payload=False,
                params=params,
            )
            for part, row in asked(queries, parts)
        ]
        if not requests:
            return by_query(queries, parts, iter(()))
        with qdrant_errors("searching descriptors"):
            answers = self._client.query_batch_points(
                self._collection, requests, timeout=self._timeout
            )
        return by_query(queries, parts, _hits(answers))


def _hits(answers: Sequence[models.QueryResponse]) -> Iterator[Neighbours]:
    for answer in answers:
        yield [(number_of(hit.id), hit.score) for hit in answer.points]

"""Galleries in a Qdrant server or cluster, shared by any number of lookup replicas."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from qdrant_client import QdrantClient, models

from services.lookup.galleries.descriptors import Neighbours, number_of, parts_of
from services.lookup.galleries.gallery import Query
from services.lookup.galleries.mark import Mark
from services.lookup.galleries.names import LOCAL, SHELVES, collection_name, local_name
from services.lookup.galleries.points import (
    EF_CONSTRUCT,
    GALLERY,
    GRAPH_DEGREE,
    NO_VECTOR,
    NUMBER,
    VIEWPOINT,
    candidate,
    full_scan_kilobytes,
    mark_payload,
    payload,
    point_id,
    read_mark,
    watermark_id,
)
from services.lookup.galleries.server_connection import (
    create_once,
    equals,
    forget,
    index_galleries,
    integers,
    qdrant_errors,
    upsert,
)
from services.lookup.galleries.server_descriptors import ServerDescriptors
from services.lookup.settings import GallerySettings
from shared.embeddings import DIMENSION, unpack
from shared.errors import SettingsError, Transient
from shared.messages import Candidate, Enrolment


class ServerGallery:
    """The galleries of one model in one collection; see `gallery.Gallery`."""

    def __init__(self, client: QdrantClient, collection: str, settings: GallerySettings) -> None:
        self._client = client
        self._collection = collection
        self._timeout = settings.timeout_seconds
        self._hnsw_ef = settings.hnsw_ef

    def enrol(self, enrolments: Sequence[Enrolment]) -> None:
        self._upsert(
            [
                models.PointStruct(
                    id=point_id(enrolment.gallery, enrolment.sighting_id),
                    vector=unpack(enrolment.embedding).tolist(),
                    payload=payload(enrolment),
                )
                for enrolment in enrolments
            ]
        )

    def numbers(self, gallery: str, above: int, up_to: int) -> frozenset[int]:
        between = models.FieldCondition(key=NUMBER, range=models.Range(gt=above, lte=up_to))
        with qdrant_errors("reading enrolment numbers"):
            points, _ = self._client.scroll(
                self._collection,
                scroll_filter=models.Filter(must=[equals(GALLERY, gallery), between]),
                limit=up_to - above,
                with_payload=[NUMBER],
                timeout=self._timeout,
            )
        return frozenset(int((point.payload or {})[NUMBER]) for point in points)

    def mark(self, gallery: str) -> Mark:
        with qdrant_errors("reading a watermark"):
            points = self._client.retrieve(
                self._collection, [watermark_id(gallery)], timeout=self._timeout
            )
        return read_mark(points[0].payload or {}) if points else Mark()

    def set_mark(self, gallery: str, mark: Mark) -> None:
        told = mark_payload(gallery, mark)
        self._upsert([models.PointStruct(id=watermark_id(gallery), vector=NO_VECTOR, payload=told)])

    def forget(self, gallery: str) -> None:
        forget(self._client, self._collection, gallery, self._timeout)

    def search(self, queries: Sequence[Query], limit: int) -> list[list[Candidate]]:
        answers = self._queried(queries, limit, with_payload=True)
        return [[candidate(p.payload or {}, p.score) for p in answer.points] for answer in answers]

    def nearest(self, queries: Sequence[Query], limit: int) -> list[Neighbours]:
        answers = self._queried(queries, limit, with_payload=False)
        return [[(number_of(p.id), p.score) for p in answer.points] for answer in answers]

    def _queried(
        self, queries: Sequence[Query], limit: int, *, with_payload: bool
    ) -> list[models.QueryResponse]:
        params = models.SearchParams(hnsw_ef=self._hnsw_ef)
        asked = [
            models.QueryRequest(
                query=query.vector.tolist(),
                limit=limit,
                filter=_others(query),
                with_payload=with_payload,
                params=params,
            )
            for query in queries
        ]
        with qdrant_errors("searching"):
            return self._client.query_batch_points(self._collection, asked, timeout=self._timeout)

    def named(self, points: Sequence[str], vector: NDArray[np.float32]) -> list[Candidate]:
        with qdrant_errors("reading candidates"):
            found = self._client.retrieve(
                self._collection, list(points), with_vectors=True, timeout=self._timeout
            )
        return [
            candidate(point.payload or {}, float(vector @ np.asarray(point.vector, np.float32)))
            for point in found
        ]

    def count(self, query: Query) -> int:
        with qdrant_errors("counting"):
            answer = self._client.count(
                self._collection, _others(query), exact=True, timeout=self._timeout
            )
        return answer.count

    def _upsert(self, points: list[models.PointStruct]) -> None:
        upsert(self._client, self._collection, points, self._timeout)


class ServerGalleries:
    """One collection for each model; see `gallery.Galleries`."""

    def __init__(self, client: QdrantClient, settings: GallerySettings) -> None:
        self._client = client
        self._settings = settings
        self._galleries: dict[str, ServerGallery] = {}
        self._local: dict[str, ServerDescriptors] = {}

    def open(self, model: str) -> ServerGallery:
        """Return the galleries of a model, in a collection created if necessary.

        Raises:
            Transient: Qdrant does not respond.
            SettingsError: the collection exists with other vectors.
        """
        name = collection_name(model)
        if name not in self._galleries:
            with qdrant_errors(f"opening collection {name}"):
                self._prepare(name)
            self._galleries[name] = ServerGallery(self._client, name, self._settings)
        return self._galleries[name]

    def local(self, extractor: str, length: int) -> ServerDescriptors:
        name = local_name(extractor)
        if name not in self._local:
            self._local[name] = ServerDescriptors(self._client, name, length, self._settings)
        return self._local[name]

    def forget_local(self, gallery: str) -> None:
        for name in self._collections():
            if name.startswith(LOCAL):
                for part in parts_of(gallery):
                    forget(self._client, name, part, self._settings.timeout_seconds)

    def empty(self) -> bool:
        names = [name for name in self._collections() if not name.startswith(LOCAL)]
        with qdrant_errors("counting"):
            return not any(self._client.count(name).count for name in names)

    def ready(self) -> bool:
        try:
            with qdrant_errors("checking whether the collection exists"):
                self._client.get_collections()
        except Transient:
            return False
        return True

    def close(self) -> None:
        self._client.close()

    def _collections(self) -> list[str]:
        with qdrant_errors("listing collections"):
            names = [each.name for each in self._client.get_collections().collections]
        return [name for name in names if name.startswith(SHELVES)]

    def _prepare(self, name: str) -> None:
        create_once(
            self._client,
            name,
            vectors_config=models.VectorParams(size=DIMENSION, distance=models.Distance.COSINE),
            hnsw_config=models.HnswConfigDiff(
                m=0,
                payload_m=GRAPH_DEGREE,
                ef_construct=EF_CONSTRUCT,
                full_scan_threshold=full_scan_kilobytes(self._settings.exact_below),
            ),
            replication_factor=self._settings.replicas,
            write_consistency_factor=self._settings.replicas,
            timeout=self._settings.timeout_seconds,
        )
        found = self._client.get_collection(name).config.params.vectors
        if not isinstance(found, models.VectorParams) or (found.size, found.distance) != (
            DIMENSION,
            models.Distance.COSINE,
        ):
            raise SettingsError(
                f"Qdrant's collection {name} holds {found}, not {DIMENSION} dimensions compared "
                "by cosine; drop it and start lookup again, which refills it from the enrolments"
            )
        # Also of an existing collection: its creator may have died before this.
        index_galleries(self._client, name)
        # Without payload graphs: they only filter.
        for key, index in ((VIEWPOINT, integers(lookup=True)), (NUMBER, integers(lookup=False))):
            self._client.create_payload_index(name, key, index, wait=True)


def _others(query: Query) -> models.Filter:
    never: list[models.Condition] = [
        models.HasIdCondition(has_id=[point_id(query.gallery, query.sighting_id)])
    ]
    if query.hidden is not None:
        never.append(equals(VIEWPOINT, int(query.hidden)))
    return models.Filter(must=[equals(GALLERY, query.gallery)], must_not=never)

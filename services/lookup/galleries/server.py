"""Galleries in a Qdrant server or cluster, shared by any number of lookup replicas."""

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from qdrant_client import QdrantClient, models
from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from services.lookup.galleries.gallery import SHELVES, Mark, Query, collection_name
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
from services.lookup.settings import GallerySettings
from shared.embeddings import DIMENSION, unpack
from shared.errors import Poison, SettingsError, Transient
from shared.messages import Candidate, Enrolment

# Qdrant's temporary errors: timeouts, rate limits and server errors.
TIMED_OUT, CONFLICT, TOO_MANY, TROUBLE = 408, 409, 429, 500


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
                scroll_filter=models.Filter(must=[_equals(GALLERY, gallery), between]),
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
        those = models.FilterSelector(filter=models.Filter(must=[_equals(GALLERY, gallery)]))
        with qdrant_errors("removing enrolments"):
            self._client.delete(self._collection, those, wait=True, timeout=self._timeout)

    def search(self, queries: Sequence[Query], limit: int) -> list[list[Candidate]]:
        params = models.SearchParams(hnsw_ef=self._hnsw_ef)
        with qdrant_errors("searching"):
            answers = self._client.query_batch_points(
                self._collection,
                [
                    models.QueryRequest(
                        query=query.vector.tolist(),
                        limit=limit,
                        filter=_others(query),
                        with_payload=True,
                        params=params,
                    )
                    for query in queries
                ],
                timeout=self._timeout,
            )
        return [[candidate(p.payload or {}, p.score) for p in answer.points] for answer in answers]

    def count(self, query: Query) -> int:
        with qdrant_errors("counting"):
            answer = self._client.count(
                self._collection, _others(query), exact=True, timeout=self._timeout
            )
        return answer.count

    def _upsert(self, points: list[models.PointStruct]) -> None:
        with qdrant_errors("writing"):
            update = self._client.upsert(self._collection, points, wait=True, timeout=self._timeout)
        if update.status != models.UpdateStatus.COMPLETED:
            raise Transient(
                f"Qdrant accepted {len(points)} points but had not applied them after "
                f"{self._timeout} s ({update.status}); they are written again"
            )


class ServerGalleries:
    """One collection for each model; see `gallery.Galleries`."""

    def __init__(self, client: QdrantClient, settings: GallerySettings) -> None:
        self._client = client
        self._settings = settings
        self._galleries: dict[str, ServerGallery] = {}

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

    def empty(self) -> bool:
        with qdrant_errors("listing collections"):
            names = [c.name for c in self._client.get_collections().collections]
            return not any(
                self._client.count(name).count for name in names if name.startswith(SHELVES)
            )

    def ready(self) -> bool:
        try:
            with qdrant_errors("checking whether the collection exists"):
                self._client.get_collections()
        except Transient:
            return False
        return True

    def close(self) -> None:
        self._client.close()

    def _prepare(self, name: str) -> None:
        if not self._client.collection_exists(name):
            try:
                self._create(name)
            except UnexpectedResponse as error:
                if error.status_code != CONFLICT:  # another replica created it first
                    raise
        found = self._client.get_collection(name).config.params.vectors
        if not isinstance(found, models.VectorParams) or (found.size, found.distance) != (
            DIMENSION,
            models.Distance.COSINE,
        ):
            raise SettingsError(
                f"Qdrant's collection {name} holds {found}, not {DIMENSION} dimensions compared "
                "by cosine; drop it and start lookup again, which refills it from the enrolments"
            )
        # Repeated for an existing collection: its creator may have died before this. Without
        # payload graphs for viewpoint and number: they only filter.
        for key, index in (
            (
                GALLERY,
                models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True),
            ),
            (VIEWPOINT, _integers(lookup=True)),
            (NUMBER, _integers(lookup=False)),
        ):
            self._client.create_payload_index(name, key, index, wait=True)

    def _create(self, name: str) -> None:
        self._client.create_collection(
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


@contextmanager
def qdrant_errors(doing: str) -> Iterator[None]:
    """Turn temporary errors into Transient and refused vectors into Poison; others crash."""
    try:
        yield
    except (ResponseHandlingException, ResourceExhaustedResponse) as error:
        raise Transient(f"Qdrant: {doing} failed: {error}") from error
    except UnexpectedResponse as error:
        status = error.status_code or 0
        if status in (TIMED_OUT, TOO_MANY) or status >= TROUBLE:
            raise Transient(f"Qdrant: {doing} failed: {error}") from error
        if b"dimension" in error.content:
            raise Poison(
                f"Qdrant refuses the vector: {error.content[:200]!r}", kind="wrong-dimension"
            ) from error
        raise


def connect(settings: GallerySettings) -> QdrantClient:
    """Return a client that connects when first used.

    Raises:
        SettingsError: certificates are set for an unencrypted connection.
    """
    key = settings.api_key.get_secret_value()
    encrypted = settings.url.startswith("https://")
    if not encrypted:
        settings.refuse_plain("RESIGHT_GALLERY_URL must begin with https://")
    tls: dict[str, Any] = {"verify": _context(settings)} if encrypted else {}
    return QdrantClient(
        url=settings.url,
        api_key=key or None,
        timeout=settings.timeout_seconds,
        check_compatibility=False,  # it would contact the server in the constructor
        **tls,
    )


def _context(settings: GallerySettings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=settings.ca_file)
    if settings.certificate_file:
        context.load_cert_chain(settings.certificate_file, settings.key_file)
    return context


def _integers(*, lookup: bool) -> models.IntegerIndexParams:
    return models.IntegerIndexParams(
        type=models.IntegerIndexType.INTEGER, lookup=lookup, range=not lookup, enable_hnsw=False
    )


def _equals(key: str, value: str | int) -> models.FieldCondition:
    return models.FieldCondition(key=key, match=models.MatchValue(value=value))


def _others(query: Query) -> models.Filter:
    never: list[models.Condition] = [
        models.HasIdCondition(has_id=[point_id(query.gallery, query.sighting_id)])
    ]
    if query.hidden is not None:
        never.append(_equals(VIEWPOINT, int(query.hidden)))
    return models.Filter(must=[_equals(GALLERY, query.gallery)], must_not=never)

"""Connection to a Qdrant server."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from qdrant_client import QdrantClient, models
from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from services.lookup.galleries.points import GALLERY
from services.lookup.settings import GallerySettings
from shared.errors import Poison, Transient

# Qdrant's temporary errors: timeouts, rate limits and server errors.
TIMED_OUT, CONFLICT, TOO_MANY, TROUBLE = 408, 409, 429, 500


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


def create_once(client: QdrantClient, name: str, **configured: Any) -> None:
    """Create a collection unless it exists; another replica may do so at the same time."""
    if client.collection_exists(name):
        return
    try:
        client.create_collection(name, **configured)
    except UnexpectedResponse as error:
        if error.status_code != CONFLICT:
            raise


def upsert(
    client: QdrantClient, collection: str, points: list[models.PointStruct], timeout: int
) -> None:
    """Write points.

    Raises:
        Transient: the server does not respond, or has not applied them in time.
    """
    with qdrant_errors("writing"):
        update = client.upsert(collection, points, wait=True, timeout=timeout)
    if update.status != models.UpdateStatus.COMPLETED:
        raise Transient(
            f"Qdrant accepted {len(points)} points but had not applied them after {timeout} s "
            f"({update.status}); they are written again"
        )


def forget(client: QdrantClient, collection: str, gallery: str, timeout: int) -> None:
    """Delete all points of a gallery.

    Raises:
        Transient: the server does not respond.
    """
    those = models.FilterSelector(filter=models.Filter(must=[equals(GALLERY, gallery)]))
    with qdrant_errors("removing enrolments"):
        client.delete(collection, those, wait=True, timeout=timeout)


def equals(key: str, value: str | int) -> models.FieldCondition:
    """Return the condition that a field has this value."""
    return models.FieldCondition(key=key, match=models.MatchValue(value=value))


def index_galleries(client: QdrantClient, name: str) -> None:
    """Index the field that names a point's gallery. Repeating it changes nothing."""
    gallery = models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True)
    client.create_payload_index(name, GALLERY, gallery, wait=True)


def integers(*, lookup: bool) -> models.IntegerIndexParams:
    """Return an index of integers, for equality (`lookup`) or for ranges."""
    return models.IntegerIndexParams(
        type=models.IntegerIndexType.INTEGER, lookup=lookup, range=not lookup, enable_hnsw=False
    )

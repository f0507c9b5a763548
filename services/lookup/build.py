"""Builds lookup from its settings, for serving and offline alike."""

from services.lookup.galleries.edge import EdgeGalleries
from services.lookup.galleries.gallery import Galleries
from services.lookup.galleries.server import ServerGalleries
from services.lookup.galleries.server_connection import connect
from services.lookup.local_shortlist import LocalShortlist
from services.lookup.pacing import Pacing
from services.lookup.refill import Refill
from services.lookup.service import LookupService
from services.lookup.settings import GallerySettings, LookupSettings
from shared.blobs import BlobStore


def build_galleries(settings: GallerySettings) -> Galleries:
    """Return the galleries of the configured engine.

    Raises:
        SettingsError: they cannot be opened.
    """
    if settings.kind == "edge":
        return EdgeGalleries(settings)
    return ServerGalleries(connect(settings), settings)


def build_lookup(
    galleries: Galleries,
    settings: LookupSettings,
    pacing: Pacing | None = None,
    refill: Refill | None = None,
    store: BlobStore | None = None,
) -> LookupService:
    """Return lookup on its galleries; without `pacing` sightings are never held back.

    `store` has the keypoints; without it only embeddings choose candidates.
    """
    sent = pacing.sent if pacing else lambda _: None
    local = None
    if store is not None and settings.descriptors == "on":
        local = LocalShortlist(galleries, store)
    return LookupService(galleries, settings, sent, refill, local)

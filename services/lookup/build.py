"""Lookup from its settings, the same for serving and offline."""

from services.lookup.galleries.edge import EdgeGalleries
from services.lookup.galleries.gallery import Galleries
from services.lookup.galleries.server import ServerGalleries, connect
from services.lookup.pacing import Pacing
from services.lookup.refill import Refill
from services.lookup.service import LookupService
from services.lookup.settings import GallerySettings, LookupSettings


def build_galleries(settings: GallerySettings) -> Galleries:
    """Return the galleries in the engine that the settings choose.

    Raises:
        SettingsError: they can't be had as configured.
    """
    if settings.kind == "edge":
        return EdgeGalleries(settings)
    return ServerGalleries(connect(settings), settings)


def build_lookup(
    galleries: Galleries,
    settings: LookupSettings,
    pacing: Pacing | None = None,
    refill: Refill | None = None,
) -> LookupService:
    """Return lookup on its galleries; without `pacing` nobody waits for decisions."""
    sent = pacing.sent if pacing else lambda _: None
    return LookupService(galleries, settings, sent, refill)

"""From settings to keypoints that are cached, for the service and for who fills its cache."""

from dataclasses import dataclass

from services.matcher.background.memory import BackgroundMemory, kept_as
from services.matcher.cache.crop_keypoints import CropKeypoints
from services.matcher.cache.keypoint_cache import KeypointCache, connect
from services.matcher.cache.server import CacheServer
from services.matcher.engine import Engine
from services.matcher.settings import CacheSettings, MatcherSettings
from shared.blobs import BlobStore
from shared.redis_settings import redis_options


@dataclass(frozen=True)
class MatcherParts:
    """Crops' keypoints, and what is known of their backgrounds, if that is learnt."""

    crops: CropKeypoints
    background: BackgroundMemory | None


def build_parts(
    networks: Engine, settings: MatcherSettings, cache: CacheSettings, store: BlobStore
) -> MatcherParts:
    """Return keypoints that come out of the cache, else from the store's crops.

    Raises:
        SettingsError: the cache's connection can't be had as configured.
    """
    client = connect(cache.url, cache.timeout_seconds, redis_options(cache, cache.url))
    learns = settings.background == "on"
    kept = kept_as(networks.extractor.model) if learns else networks.extractor.model
    keypoints = KeypointCache(
        client,
        kept,
        networks.extractor.descriptor_length,
        local_entries=cache.local_entries,
        retry_seconds=cache.retry_seconds,
    )
    return MatcherParts(
        CropKeypoints(store, networks.extractor, keypoints, settings.max_crop_bytes),
        BackgroundMemory(CacheServer(client, cache.retry_seconds), keypoints, kept)
        if learns
        else None,
    )

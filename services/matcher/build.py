"""Builds the matcher from its settings, for serving and offline alike."""

from dataclasses import dataclass

import cv2
import torch

from services.matcher.background.memory import BackgroundMemory, kept_as
from services.matcher.cache.crop_keypoints import CropKeypoints, KeypointStore
from services.matcher.cache.keypoint_cache import KeypointCache, connect
from services.matcher.cache.server import CacheServer
from services.matcher.engine import Engine, build_engine
from services.matcher.service import MatcherService
from services.matcher.settings import CacheSettings, MatcherSettings
from shared.blobs import BlobStore
from shared.redis_settings import redis_options


@dataclass(frozen=True)
class Matcher:
    """Parts of the matcher: networks, keypoints of stored crops, and the service."""

    networks: Engine
    crops: CropKeypoints
    service: MatcherService


def build_networks(settings: MatcherSettings) -> Engine:
    """Return the networks, with the configured number of threads.

    Raises:
        SettingsError: they cannot be loaded.
    """
    torch.set_num_threads(settings.threads)
    cv2.setNumThreads(settings.threads)
    return build_engine(settings)


def build_matcher(
    settings: MatcherSettings,
    store: BlobStore,
    cache: CacheSettings,
    networks: Engine | None = None,
) -> Matcher:
    """Return a matcher that keeps keypoints and backgrounds in the cache.

    Raises:
        SettingsError: networks or cache are misconfigured.
    """
    networks = networks or build_networks(settings)
    client = connect(cache.url, cache.timeout_seconds, redis_options(cache, cache.url))
    learns = settings.background == "on"
    name = kept_as(networks.extractor.model) if learns else networks.extractor.model
    keypoints = KeypointCache(
        client,
        name,
        networks.extractor.descriptor_length,
        local_entries=cache.local_entries,
        retry_seconds=cache.retry_seconds,
    )
    memory = BackgroundMemory(CacheServer(client, cache.retry_seconds), keypoints, name)
    return _matcher(settings, store, networks, keypoints, memory if learns else None)


def build_matcher_without_memory(
    settings: MatcherSettings, store: BlobStore, keypoints: KeypointStore, networks: Engine
) -> Matcher:
    """Return a matcher without background memory, with the caller's keypoint store."""
    return _matcher(settings, store, networks, keypoints, None)


def _matcher(
    settings: MatcherSettings,
    store: BlobStore,
    networks: Engine,
    keypoints: KeypointStore,
    memory: BackgroundMemory | None,
) -> Matcher:
    crops = CropKeypoints(store, networks.extractor, keypoints, settings.max_crop_bytes)
    return Matcher(networks, crops, MatcherService(networks, crops, store, memory))

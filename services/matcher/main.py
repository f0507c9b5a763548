"""Runs the matcher: `python -m services.matcher.main`."""

import cv2
import torch

from services.matcher.background_memory import BackgroundMemory, kept_as
from services.matcher.cache import KeypointCache, connect
from services.matcher.cache_server import CacheServer
from services.matcher.crops import CropKeypoints
from services.matcher.engine import engine
from services.matcher.service import MatcherService
from services.matcher.settings import CacheSettings, MatcherSettings
from shared import topics
from shared.blobs import BlobStore
from shared.messages import CandidateList
from shared.redis_settings import redis_options
from shared.settings import BlobSettings, KafkaSettings, StageSettings, load
from shared.stage import Stage, protobuf_decoder
from shared.startup import started

# A list may take a second, and a later pass waits for the batch before it.
MAX_MESSAGES = 8


def main() -> None:
    """Wire settings to real clients and consume until SIGTERM."""
    with started("matcher") as telemetry:
        settings, cache = load(MatcherSettings), load(CacheSettings)
        torch.set_num_threads(settings.threads)
        cv2.setNumThreads(settings.threads)
        networks = engine(settings)
        networks.warm_up()
        store = BlobStore(load(BlobSettings).crops_url)
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
        crops = CropKeypoints(store, networks.extractor, keypoints, settings.max_crop_bytes)
        background = (
            BackgroundMemory(CacheServer(client, cache.retry_seconds), keypoints, kept)
            if learns
            else None
        )
        Stage(
            name="matcher",
            decoders={topics.CANDIDATES: protobuf_decoder(CandidateList)},
            handler=MatcherService(networks, crops, store, background),
            kafka=load(KafkaSettings),
            settings=load(StageSettings),
            telemetry=telemetry,
            max_messages=MAX_MESSAGES,
        ).run()


if __name__ == "__main__":
    main()

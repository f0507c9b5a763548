"""Runs the matcher: `python -m services.matcher.main`."""

import cv2
import torch

from services.matcher.engine import engine
from services.matcher.service import MatcherService
from services.matcher.settings import CacheSettings, MatcherSettings
from services.matcher.wiring import wired
from shared import topics
from shared.blobs import BlobStore
from shared.handling import protobuf_decoder
from shared.messages import CandidateList
from shared.settings import BlobSettings, KafkaSettings, StageSettings, load
from shared.stage import Stage
from shared.startup import started

# A list may take a second, and a later pass waits for the batch before it.
MAX_MESSAGES = 4


def main() -> None:
    """Wire settings to real clients and consume until SIGTERM."""
    with started("matcher") as telemetry:
        settings, cache = load(MatcherSettings), load(CacheSettings)
        torch.set_num_threads(settings.threads)
        cv2.setNumThreads(settings.threads)
        networks = engine(settings)
        networks.warm_up()
        store = BlobStore(load(BlobSettings).crops_url)
        matching = wired(networks, settings, cache, store)
        Stage(
            name="matcher",
            decoders={topics.CANDIDATES: protobuf_decoder(CandidateList)},
            handler=MatcherService(networks, matching.crops, store, matching.background),
            kafka=load(KafkaSettings),
            settings=load(StageSettings),
            telemetry=telemetry,
            max_messages=MAX_MESSAGES,
        ).run()


if __name__ == "__main__":
    main()

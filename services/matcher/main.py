"""Runs the matcher: `python -m services.matcher.main`."""

from services.matcher.build import build_matcher
from services.matcher.settings import CacheSettings, MatcherSettings
from shared.blobs import BlobStore
from shared.environment import load
from shared.kafka import topics
from shared.messages import CandidateList
from shared.process.startup import start_process
from shared.settings import BlobSettings, KafkaSettings, StageSettings
from shared.stage.handling import protobuf_decoder
from shared.stage.loop import Stage

# A list may take a second, and later passes wait for the batch before them.
MAX_MESSAGES = 4


def main() -> None:
    """Connect the clients and consume until shutdown."""
    with start_process("matcher") as telemetry:
        settings, cache = load(MatcherSettings), load(CacheSettings)
        matcher = build_matcher(settings, BlobStore(load(BlobSettings).crops_url), cache)
        matcher.networks.warm_up()
        Stage(
            name="matcher",
            decoders={topics.CANDIDATES: protobuf_decoder(CandidateList)},
            handler=matcher.service,
            kafka=load(KafkaSettings),
            settings=load(StageSettings),
            telemetry=telemetry,
            max_messages=MAX_MESSAGES,
        ).run()


if __name__ == "__main__":
    main()

"""Runs lookup: `python -m services.lookup.main`, configured by the environment."""

from services.lookup.backlog import Backlog
from services.lookup.build import build_galleries, build_lookup
from services.lookup.pacing import Pacing
from services.lookup.refill import Refill
from services.lookup.settings import GallerySettings, LookupSettings
from shared.blobs import BlobStore
from shared.environment import load
from shared.kafka import topics
from shared.messages import Enrolment, Sighting
from shared.process.startup import start_process
from shared.settings import BlobSettings, KafkaSettings, StageSettings
from shared.stage.handling import protobuf_decoder
from shared.stage.loop import Stage

# A batch may exceed the pacing's limit, so it is no larger than that limit.
MAX_MESSAGES = 32


def main() -> None:
    """Connect the clients and consume until shutdown."""
    with start_process("lookup") as telemetry:
        kafka = load(KafkaSettings)
        lookup = load(LookupSettings)
        galleries = build_galleries(load(GallerySettings))
        backlog = Backlog(kafka)
        pacing = Pacing(backlog, lookup.max_undecided)
        # The commits refer to a gallery that is gone.
        refill = Refill(empty=galleries.empty())
        store = BlobStore(load(BlobSettings).crops_url)
        try:
            Stage[Sighting | Enrolment](
                name="lookup",
                decoders={
                    topics.SIGHTINGS: protobuf_decoder(Sighting),
                    topics.ENROLMENTS: protobuf_decoder(Enrolment),
                },
                handler=build_lookup(galleries, lookup, pacing, refill, store),
                kafka=kafka,
                settings=load(StageSettings),
                telemetry=telemetry,
                pace=lambda: pacing() | refill.hold(),
                rewind=refill.rewind,
                max_messages=min(MAX_MESSAGES, lookup.max_undecided),
            ).run()
        finally:
            backlog.close()
            galleries.close()


if __name__ == "__main__":
    main()

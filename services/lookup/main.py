"""Run lookup: `python -m services.lookup.main`; settings come from the environment."""

from services.lookup.backlog import Backlog
from services.lookup.galleries.edge import EdgeGalleries
from services.lookup.galleries.gallery import Galleries
from services.lookup.galleries.server import ServerGalleries, connect
from services.lookup.pacing import Pacing
from services.lookup.refill import Refill
from services.lookup.service import LookupService
from services.lookup.settings import GallerySettings, LookupSettings
from shared.environment import load
from shared.kafka import topics
from shared.messages import Enrolment, Sighting
from shared.process.startup import start_process
from shared.settings import KafkaSettings, StageSettings
from shared.stage.handling import protobuf_decoder
from shared.stage.loop import Stage

# One batch may pass the pacing's limit, so it is no larger than that limit either.
MAX_MESSAGES = 32


def open_galleries(settings: GallerySettings) -> Galleries:
    """Return the galleries in the engine that the settings choose.

    Raises:
        SettingsError: they can't be had as configured.
    """
    if settings.kind == "edge":
        return EdgeGalleries(settings)
    return ServerGalleries(connect(settings), settings)


def main() -> None:
    """Wire settings to clients and consume until told to stop."""
    with start_process("lookup") as telemetry:
        kafka = load(KafkaSettings)
        lookup = load(LookupSettings)
        galleries = open_galleries(load(GallerySettings))
        backlog = Backlog(kafka)
        pacing = Pacing(backlog, lookup.max_undecided)
        # What was committed speaks of a gallery that is gone.
        refill = Refill(empty=galleries.empty())
        try:
            Stage(
                name="lookup",
                decoders={
                    topics.SIGHTINGS: protobuf_decoder(Sighting),
                    topics.ENROLMENTS: protobuf_decoder(Enrolment),
                },
                handler=LookupService(galleries, lookup, pacing.sent, refill),
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

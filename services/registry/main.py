"""Runs the registry: `python -m services.registry.main`, configured by the environment."""

import logging
from collections.abc import Callable
from contextlib import closing
from functools import partial

from services.registry.build import build_registry
from services.registry.ledger.gauges import LedgerGauges
from services.registry.ledger.ledger import Ledger
from services.registry.ledger.store import Store
from services.registry.outbox.broker import Broker
from services.registry.outbox.continuity import Continuity
from services.registry.outbox.recovery import recover
from services.registry.settings import LedgerSettings, RegistrySettings
from shared.environment import load
from shared.kafka import topics
from shared.messages import ImagePlace, Matches
from shared.process.startup import start_process
from shared.settings import KafkaSettings, StageSettings
from shared.stage.handling import protobuf_decoder
from shared.stage.loop import Stage

NAME = "registry"

log = logging.getLogger(__name__)


def main() -> None:
    """Connect the clients, publish the outbox, and consume until shutdown."""
    with start_process(NAME) as telemetry:
        kafka, stage = load(KafkaSettings), load(StageSettings)
        registry, store = load(RegistrySettings), load(LedgerSettings)
        ledger = Ledger(Store.at(store))
        continuity = Continuity(ledger, kafka)
        Stage[Matches | ImagePlace](
            name=NAME,
            decoders={
                topics.MATCHES: protobuf_decoder(Matches),
                topics.PLACES: protobuf_decoder(ImagePlace),
            },
            handler=build_registry(ledger, registry, watch=continuity.watch),
            kafka=kafka,
            settings=stage,
            telemetry=telemetry,
            prepare=partial(prepare, ledger, kafka, continuity),
        ).run()


def prepare(
    ledger: Ledger, kafka: KafkaSettings, continuity: Continuity, tell: Callable[[str], None]
) -> None:
    """Install the ledger's functions and empty its outbox; reports progress to `tell`.

    Raises:
        BehindError: the ledger has lost data.
        Transient: the ledger or the broker is down or not ready.
    """
    continuity.begin(tell)
    LedgerGauges(ledger).publish()
    with closing(Broker(kafka)) as broker:
        log.info("published %d entries of the ledger again", recover(ledger, broker, tell))


if __name__ == "__main__":
    main()

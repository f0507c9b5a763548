"""Run the registry: `python -m services.registry.main`; settings come from the environment."""

import itertools
import logging
import random
import time
from contextlib import closing

from services.registry import calibration
from services.registry.broker import Broker
from services.registry.ledger import Ledger
from services.registry.outbox import recover
from services.registry.service import RegistryService
from services.registry.settings import LedgerSettings, RegistrySettings
from services.registry.store import Store
from shared import topics
from shared.backoff import Backoff
from shared.errors import Transient
from shared.logs import configure_logging
from shared.messages import Matches
from shared.settings import KafkaSettings, StageSettings, TelemetrySettings, load
from shared.stage import Stage, protobuf_decoder

NAME = "registry"

log = logging.getLogger(__name__)


def main() -> None:
    """Wire settings to clients, publish what the outbox holds, consume until told to stop."""
    kafka, stage, telemetry = load(KafkaSettings), load(StageSettings), load(TelemetrySettings)
    registry, store = load(RegistrySettings), load(LedgerSettings)
    configure_logging(NAME, telemetry.log_level)
    curves = calibration.load(registry.calibration)
    ledger = Ledger(Store(store.url, store.timeout_seconds))
    recover_patiently(ledger, kafka, Backoff(stage.backoff_seconds, stage.backoff_limit_seconds))
    Stage(
        name=NAME,
        decoders={topics.MATCHES: protobuf_decoder(Matches)},
        handler=RegistryService(ledger, curves, registry),
        kafka=kafka,
        settings=stage,
        telemetry=telemetry,
    ).run()


def recover_patiently(ledger: Ledger, kafka: KafkaSettings, backoff: Backoff) -> None:
    """Install the ledger's functions and empty its outbox, however long ledger or broker take."""
    for attempt in itertools.count():
        try:
            ledger.load()
            with closing(Broker(kafka)) as broker:
                count = recover(ledger, broker)
        except Transient as error:
            log.warning("can't start yet: %s", str(error))
            time.sleep(backoff.delay(attempt, random.random()))  # noqa: S311 - jitter
        else:
            log.info("published %d entries of the ledger again", count)
            return


if __name__ == "__main__":
    main()

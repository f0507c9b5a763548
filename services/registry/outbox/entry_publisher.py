"""Publishes operations immediately, or at the registry's next start."""

import logging
import queue
import threading
from contextlib import closing

from services.registry.identity.entry import Entry
from services.registry.ledger.ledger import Ledger
from services.registry.ledger.receipts import acknowledgements
from services.registry.outbox.broker import Broker
from shared.errors import ResightError
from shared.settings import KafkaSettings

# Beyond this many waiting entries, further ones stay in the outbox.
MOST_WAITING = 10_000

log = logging.getLogger(__name__)


class EntryPublisher:
    """Publishes entries from its own thread, so pages need not wait for the broker.

    Entries that cannot be published stay in the ledger's outbox, which the registry empties at
    start.
    """

    def __init__(self, ledger: Ledger, kafka: KafkaSettings) -> None:
        self._ledger = ledger
        self._kafka = kafka
        self._waiting: queue.Queue[Entry] = queue.Queue(MOST_WAITING)
        self._broker: Broker | None = None

    def start(self) -> None:
        """Start the thread."""
        threading.Thread(target=self._run, name="announcer", daemon=True).start()

    def announce(self, entry: Entry) -> None:
        """Queue an entry for publication."""
        try:
            self._waiting.put_nowait(entry)
        except queue.Full:
            log.warning("entry %d is published at the registry's next start", entry.decision.number)

    def _run(self) -> None:
        while True:
            entry = self._waiting.get()
            try:
                self._publish(entry)
            except ResightError as error:
                log.warning(
                    "entry %d of gallery %s is in the ledger, and is published at the registry's "
                    "next start: %s",
                    entry.decision.number,
                    entry.decision.gallery,
                    error,
                )
                self._leave()
            finally:
                self._waiting.task_done()

    def _publish(self, entry: Entry) -> None:
        if self._broker is None:
            self._broker = Broker(self._kafka)
        receipts = self._broker.publish(entry.messages())
        for gallery, taken in acknowledgements(receipts).items():
            self._ledger.acknowledge(gallery, taken)

    def _leave(self) -> None:
        if self._broker is not None:
            with closing(self._broker):
                self._broker = None

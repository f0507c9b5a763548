"""Operations on their way to whoever listens: published at once, or when the registry starts."""

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

# What waits longer than this many entries stays in the ledger's outbox.
MOST_WAITING = 10_000

log = logging.getLogger(__name__)


class EntryPublisher:
    """Publishes entries from a thread of its own, so nobody at a page waits for the broker.

    An entry that the broker does not take stays in the ledger's outbox, which the registry
    empties when it starts.
    """

    def __init__(self, ledger: Ledger, kafka: KafkaSettings) -> None:
        self._ledger = ledger
        self._kafka = kafka
        self._waiting: queue.Queue[Entry] = queue.Queue(MOST_WAITING)
        self._broker: Broker | None = None

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, name="announcer", daemon=True).start()

    def announce(self, entry: Entry) -> None:
        """Publish an entry soon."""
        try:
            self._waiting.put_nowait(entry)
        except queue.Full:
            log.warning("entry %d waits for the registry's next start", entry.decision.number)

    def _run(self) -> None:
        while True:
            entry = self._waiting.get()
            try:
                self._publish(entry)
            except ResightError as error:
                log.warning(
                    "entry %d of gallery %s is in the ledger, and the registry publishes it when "
                    "it starts again: %s",
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

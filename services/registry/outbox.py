"""The outbox: what the ledger holds and the broker may not have is published again."""

import logging

from services.registry import metrics
from services.registry.broker import Broker
from services.registry.ledger import Ledger
from services.registry.proof import acknowledgements, holds

log = logging.getLogger(__name__)


def recover(ledger: Ledger, broker: Broker) -> int:
    """Publish again, in order, every entry that the broker can't be proved to have.

    To be run before anything is consumed. Usually those are the entries that were
    written last, before a crash. If one record that proves what the broker took
    is gone, the broker has lost its records, and the whole gallery is published.
    An interruption does no harm: what is left stays in the outbox.

    Returns the number of entries published. Raises Transient when the ledger or
    the broker is away.
    """
    count = 0
    for gallery in ledger.galleries():
        lost = [
            proof
            for proof in ledger.proofs(gallery)
            if not holds(proof, gallery, broker.position(proof))
        ]
        if lost:
            log.warning(
                "the broker lost %s partition %d of gallery %s; publishing all of it again",
                lost[0].topic,
                lost[0].partition,
                gallery,
            )
            ledger.reopen(gallery)
        for entries in ledger.outbox(gallery):
            receipts = broker.publish([item for entry in entries for item in entry.messages()])
            for name, taken in acknowledgements(receipts).items():
                ledger.acknowledge(name, taken)
            metrics.REPUBLISHED.inc(len(entries))
            count += len(entries)
    return count

"""Recovery of the outbox: entries that the broker may not have are published again."""

import logging
from collections.abc import Callable, Sequence

from services.registry import metrics
from services.registry.identity.entry import Entry
from services.registry.ledger.ledger import Ledger
from services.registry.ledger.receipts import acknowledgements, holds
from services.registry.outbox.broker import Broker
from shared.records import Receipt
from shared.stage.result_producer import TOO_LARGE

log = logging.getLogger(__name__)


def recover(ledger: Ledger, broker: Broker, tell: Callable[[str], None] = lambda _: None) -> int:
    """Publish again, in order, every entry that the broker is not known to have.

    Run this before consuming. Usually these are the last entries before a crash. If a recorded
    message is missing, the broker has lost data, and the whole gallery is published.
    An interruption is harmless: the rest stays in the outbox. So does an entry too large for its
        topic; it is logged, counted, and retried at the next start. `tell` gets progress.

    Returns the number of entries published. Raises Transient when the ledger or the broker does not
    respond.
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
            tell(f"publishing the ledger's entries again: {count} done, now those of {gallery}")
            receipts = _published(broker, entries)
            for name, taken in acknowledgements(receipts).items():
                ledger.acknowledge(name, taken)
                metrics.REPUBLISHED.inc(len(taken.entries))
                count += len(taken.entries)
    return count


def _published(broker: Broker, entries: Sequence[Entry]) -> list[Receipt]:
    """Publish entries together, or separately if one is too large."""
    try:
        return broker.publish([item for entry in entries for item in entry.messages()])
    except TOO_LARGE as error:
        if len(entries) > 1:
            return [receipt for entry in entries for receipt in _published(broker, [entry])]
        decision = entries[0].decision
        log.error(
            "entry %d of gallery %s is too large for its topic (%s) and stays unpublished; raise "
            "the topic's max.message.bytes and start the registry again",
            decision.number,
            decision.gallery,
            error,
        )
        metrics.UNPUBLISHABLE.inc()
        return []

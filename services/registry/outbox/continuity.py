"""Has the ledger lost what it wrote? It is compared with what the topics hold.

A ledger whose file was cut off, or that failed over to a copy which was behind, would give numbers
a second time, and nobody could tell the two sightings of a number apart. So the registry does not
serve while a topic holds more of the ledger's epoch than the ledger does.
"""

import logging
from collections.abc import Callable
from contextlib import closing

from services.registry.ledger.ledger import Ledger
from services.registry.outbox.broker import Broker
from shared.errors import ResightError
from shared.kafka.topics import DECISIONS, ENROLMENTS
from shared.messages import Decision, Enrolment
from shared.settings import KafkaSettings

log = logging.getLogger(__name__)


class BehindError(ResightError):
    """The ledger lacks what it has published."""


class Continuity:
    """Watches that the ledger is the one that it was, and has all that it wrote."""

    def __init__(self, ledger: Ledger, kafka: KafkaSettings) -> None:
        self._ledger = ledger
        self._kafka = kafka
        self._server: tuple[str, str] | None = None

    def begin(self, tell: Callable[[str], None] = lambda _: None) -> None:
        """Begin with the ledger as it is now; `tell` hears what is done.

        Raises:
            BehindError: it has lost entries.
            Transient: the ledger or the broker is away.
        """
        self._ledger.load()
        self._ledger.begin()
        server = self._ledger.server()
        tell("comparing the ledger with the topics")
        with closing(Broker(self._kafka)) as broker:
            check(self._ledger, broker)
        self._server = server

    def watch(self) -> None:
        """Look whether the ledger's server is another one, or has begun anew; then begin again."""
        if self._ledger.server() != self._server:
            log.warning("the ledger's server has started anew; comparing it with the topics")
            self.begin()


def check(ledger: Ledger, broker: Broker) -> None:
    """Compare with the ledger what the topics hold past what the broker is known to have.

    Raises:
        BehindError: a topic holds a number that the ledger has not given in this epoch, or has
            given to another sighting.
        Transient: the ledger or the broker is away.
    """
    current, known = ledger.server()[0], ledger.galleries()
    epochs = {name: ledger.epoch(name) for name in known if ledger.count(name, "entries")}
    proved: dict[tuple[str, int], int] = {}
    for name in known:
        for proof in ledger.proofs(name):
            place = proof.topic, proof.partition
            proved[place] = max(proved.get(place, 0), proof.offset + 1)
    for topic in (DECISIONS, ENROLMENTS):
        for message in broker.since(topic, proved):
            if message.epoch != epochs.get(message.gallery, current):
                continue
            kind = "entry" if isinstance(message, Decision) else "enrolment"
            if held := _lacks(ledger, message, kind):
                raise BehindError(
                    f"the ledger has lost what it wrote: topic {topic} holds {kind} "
                    f"{message.number} of gallery {message.gallery}, of sighting "
                    f"{message.sighting_id}, and the ledger {held}. Its file was cut off, or it "
                    "failed over to a copy that was behind. Restore a backup with `resight ledger "
                    "import FILE --replace`, or go on with what it has by `resight ledger renew`: "
                    "both begin a new epoch, in which what is on the topics does not count"
                )


def _lacks(ledger: Ledger, message: Decision | Enrolment, kind: str) -> str:
    """Return what the ledger has in place of a message; '' where it has the same."""
    gallery, number = message.gallery, message.number
    last = ledger.count(gallery, "entries" if kind == "entry" else "enrolments")
    if number > last:
        return f"has {last}"
    if kind == "entry":
        found = [each.sighting_id for each in ledger.decisions(gallery, number, number)]
    else:
        found = [
            enrolment.sighting_id
            for chunk in ledger.between(gallery, number - 1, number)
            for enrolment, _ in chunk
        ]
    if found == [message.sighting_id]:
        return ""
    return f"gave that number to sighting {found[0]}" if found else "lacks it"

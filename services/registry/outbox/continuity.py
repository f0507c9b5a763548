"""Detects a ledger that has lost data, by comparing it with the topics.

A truncated ledger, or a stale replica after failover, would assign numbers twice, and the two
sightings of a number could not be told apart. So the registry does not serve while a topic holds
more of the ledger's epoch than the ledger does.
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
    """The ledger lacks entries that it has published."""


class Continuity:
    """Checks that the ledger is the same one and complete."""

    def __init__(self, ledger: Ledger, kafka: KafkaSettings) -> None:
        self._ledger = ledger
        self._kafka = kafka
        self._server: tuple[str, str] | None = None

    def begin(self, tell: Callable[[str], None] = lambda _: None) -> None:
        """Check the ledger at start; `tell` gets progress.

        Raises:
            BehindError: it has lost entries.
            Transient: the ledger or the broker does not respond.
        """
        self._ledger.load()
        self._ledger.begin()
        server = self._ledger.server()
        tell("comparing the ledger with the topics")
        with closing(Broker(self._kafka)) as broker:
            check(self._ledger, broker)
        self._server = server

    def watch(self) -> None:
        """Check whether the ledger's server was replaced or restarted; then check again."""
        if self._ledger.server() != self._server:
            log.warning("the ledger's server was restarted; comparing it with the topics")
            self.begin()


def check(ledger: Ledger, broker: Broker) -> None:
    """Compare the topics' records after the last acknowledged one with the ledger.

    Raises:
        BehindError: a topic holds a number that the ledger has not assigned in this epoch, or has
            assigned to another sighting.
        Transient: the ledger or the broker does not respond.
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
                    f"the ledger has lost data: topic {topic} holds {kind} {message.number} of "
                    f"gallery {message.gallery}, of sighting {message.sighting_id}, and the "
                    f"ledger {held}. Its file was truncated, or it failed over to a stale "
                    "replica. Restore a backup with `resight ledger import FILE --replace`, or "
                    "continue with what it has by `resight ledger renew`: both begin a new "
                    "epoch, which ignores what is on the topics"
                )


def _lacks(ledger: Ledger, message: Decision | Enrolment, kind: str) -> str:
    """Return what the ledger has instead of a message; '' if it has the same."""
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
    return f"assigned that number to sighting {found[0]}" if found else "lacks it"

"""Consistency of topics and vectors with the ledger."""

from collections.abc import Iterator, Mapping, Sequence

from google.protobuf.message import DecodeError

from services.lookup.galleries.gallery import Galleries
from services.lookup.galleries.mark import collection_of
from services.registry.ledger.ledger import Ledger
from shared.embeddings import model_name
from shared.kafka.topic_reader import TopicReader
from shared.kafka.topics import DECISIONS, ENROLMENTS
from shared.messages import Decision, Enrolment
from shared.settings import KafkaSettings

# Without a record for this long, topics count as read to their end.
SILENCE_SECONDS = 3.0

# Contents of a topic: by gallery, epoch and number the latest value of each sighting.
Held = Mapping[tuple[str, str, int], Mapping[str, bytes]]


def published(kafka: KafkaSettings) -> tuple[Held, Held]:
    """Return all decisions and enrolments on their topics, without invalid records.

    Raises:
        Transient: the broker does not respond.
    """
    held: dict[str, dict[tuple[str, str, int], dict[str, bytes]]] = {DECISIONS: {}, ENROLMENTS: {}}
    with TopicReader(kafka, [*held], from_beginning=True) as reader:
        while records := reader.poll(SILENCE_SECONDS):
            for record in records:
                kind = Decision if record.topic == DECISIONS else Enrolment
                try:
                    message = kind.FromString(record.value or b"")
                except DecodeError:
                    continue
                value = message.SerializeToString(deterministic=True)
                place = message.gallery, message.epoch, message.number
                held[record.topic].setdefault(place, {})[message.sighting_id] = value
    return held[DECISIONS], held[ENROLMENTS]


def topic_faults(ledger: Ledger, gallery: str, decisions: Held, enrolments: Held) -> Iterator[str]:
    """Yield differences between a gallery's entries and the topics.

    Entries waiting in the outbox, and records of earlier epochs, are not faults. May raise
    Transient.
    """
    yield from _extra(ledger, gallery, decisions, "decision", "entries")
    yield from _extra(ledger, gallery, enrolments, "enrolment", "enrolments")
    waiting = {entry.decision.number for entries in ledger.outbox(gallery) for entry in entries}
    for entry in ledger.entries(gallery):
        for name, message, held in (
            ("decision", entry.decision, decisions),
            ("enrolment", entry.enrolment, enrolments),
        ):
            if message is None:
                continue
            those = held.get((gallery, message.epoch, message.number), {})
            value = those.get(message.sighting_id)
            if set(those) - {message.sighting_id}:
                yield (
                    f"{name} {message.number} is on its topic for another sighting too; `ledger "
                    f"renew` begins a new epoch"
                )
            if entry.decision.number in waiting:
                continue
            if value is None:
                yield f"{name} {message.number} is not on its topic; `ledger rebuild` publishes it"
            elif value != message.SerializeToString(deterministic=True):
                yield f"{name} {message.number} is on its topic with different content"


def _extra(ledger: Ledger, gallery: str, held: Held, name: str, counter: str) -> Iterator[str]:
    """Yield numbers on a topic, in the gallery's epoch, that the ledger has not assigned."""
    epoch, last = ledger.epoch(gallery), ledger.count(gallery, counter)
    for where, its, number in sorted(held):
        if (where, its) == (gallery, epoch) and number > last:
            yield (
                f"{name} {number} is on its topic but not in the ledger, which ends at {last}: the "
                f"ledger lost entries; restore a backup, or run `ledger renew`"
            )


def vector_faults(ledger: Ledger, gallery: str, galleries: Galleries) -> Iterator[str]:
    """Yield enrolments of a gallery that lookup cannot find. May raise Transient."""
    enrolled = ledger.count(gallery, "enrolments")
    by_model: dict[str, list[int]] = {}
    for chunk in ledger.between(gallery, 0, enrolled):
        for enrolment, _ in chunk:
            by_model.setdefault(model_name(enrolment.embedding.model), []).append(enrolment.number)
    for model, numbers in sorted(by_model.items()):
        held = galleries.open(model).numbers(
            collection_of(gallery, ledger.epoch(gallery)), 0, enrolled
        )
        yield from _missing(sorted(set(numbers) - held), model)


def _missing(numbers: Sequence[int], model: str) -> Iterator[str]:
    for number in numbers:
        yield f"the vectors of {model} lack enrolment {number}; `ledger rebuild` publishes it"

"""Accounts for everything that was published, record by record."""

from collections import Counter
from typing import Any

from catalogue.publishing.account import sightings_lost
from catalogue.publishing.captures import sightings
from services.embedder.captures.capture import decode_capture
from shared.errors import Poison
from shared.kafka import backlog, topics
from shared.kafka.topic_reader import TopicReader
from shared.messages import Decision
from shared.records import Record
from shared.settings import KafkaSettings
from shared.stage import dead_letters

READ_SECONDS = 20.0  # some records are large


def accounted(kafka: KafkaSettings) -> dict[str, Any]:
    """Compare what was published with its outcomes, record by record."""
    captures = _records(kafka, [topics.CAPTURES])
    decided = {
        Decision.FromString(each.value or b"").sighting_id
        for each in _records(kafka, [topics.DECISIONS])
    }
    letters = list(dead_letters.read(kafka, topics.dead_letter_topics()))
    given_up = {(each.partition, each.offset) for each in letters if each.topic == topics.CAPTURES}
    lost = {name for letter in letters for name in sightings_lost(letter)}
    unaccounted = []
    questions = 0
    for record in captures:
        if (record.partition, record.offset) in given_up:
            continue
        if _is_question(record):  # it is answered, not decided
            questions += 1
            continue
        expected = _expected(record)
        missing = [name for name in expected if name not in decided | lost]
        if missing or not expected:
            unaccounted.append(f"{record.partition}:{record.offset} {len(missing)} sightings")
    return {
        "records": len(captures),
        "questions": questions,
        "decisions": len(decided),
        "letters": len(letters),
        "letters_by_kind": dict(Counter(each.kind for each in letters).most_common()),
        "records_with_two_letters": len(letters) - len({_place(each) for each in letters}),
        "unaccounted": unaccounted,
    }


def _expected(record: Record) -> tuple[str, ...]:
    """Return the sightings expected of a record; none if it is invalid."""
    try:
        return () if record.fault else sightings(decode_capture(record))
    except Poison:
        return ()


def _is_question(record: Record) -> bool:
    try:
        return not record.fault and bool(decode_capture(record).question)
    except Poison:
        return False


def _place(letter: dead_letters.DeadLetter) -> tuple[str, str, int, int]:
    return letter.group, letter.topic, letter.partition, letter.offset


def _records(kafka: KafkaSettings, names: list[str]) -> list[Record]:
    count = sum(backlog.read(kafka).records[name] for name in names)
    found: list[Record] = []
    with TopicReader(kafka, names, from_beginning=True) as reader:
        while len(found) < count and (polled := reader.poll(READ_SECONDS)):
            found += polled
    if len(found) < count:
        raise RuntimeError(f"{', '.join(names)} gave {len(found)} of {count} records")
    return found

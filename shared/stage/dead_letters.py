"""Dead letters: messages that could not be handled, with the reason, kept until replayed.

A dead letter is in the topic `<topic>.<group>.dlq` with the original's key, value and headers, and
these additional headers:

    resight-reason     a sentence
    resight-kind       a slug, as in the metrics
    resight-topic      position of the original: topic,
    resight-partition  partition
    resight-offset     and offset
    resight-attempt    1, increased each time it returns after a replay
    resight-time       time of the dead letter, ISO 8601, UTC
    resight-sightings  number of animals in it

One that is too large for its topic has no value, key and headers of the original, but

    resight-value-bytes   size of the original's value
    resight-value-sha256  its digest

Replayed dead letters are tracked by the offsets that the group `resight-replay` commits on the
dead-letter topics: everything below is done.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256

from kafka import KafkaConsumer, TopicPartition
from kafka.structs import OffsetAndMetadata

from shared.errors import Poison, ResightError, Transient
from shared.kafka import topics
from shared.kafka.clients import (
    as_record,
    broker_errors,
    consumer,
    delivery_seconds,
    producer,
)
from shared.records import Record
from shared.settings import KafkaSettings

REPLAY_GROUP = "resight-replay"
PREFIX = "resight-"
ATTEMPT = "resight-attempt"

# The log has the full text; a header must fit the message.
REASON_CHARACTERS = 2000
ATTEMPT_DIGITS = 6
# Bytes fetched at once when only the latest dead letters are read; at least one.
LOOKED_AT_BYTES = 1024 * 1024

log = logging.getLogger(__name__)


class DeadLetterError(ResightError):
    """A dead letter could not be written; the service must stop without committing."""


@dataclass(frozen=True)
class DeadLetter:
    """A message that one group could not handle, and why.

    `headers`, `topic`, `partition` and `offset` are the original's; `mark` is the dead letter's own
    position, None before it is written. `left_out` describes a value that was too large to include.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes]
    group: str
    reason: str
    kind: str
    sightings: int
    attempt: int
    time: datetime
    left_out: "LeftOut | None" = None
    mark: "Mark | None" = None

    @property
    def address(self) -> str:
        """The dead-letter topic."""
        return topics.dead_letters(self.topic, self.group)


@dataclass(frozen=True)
class LeftOut:
    """A value that was too large for its dead letter."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Mark:
    """Position of a dead letter in its topic, and whether it was replayed."""

    partition: int
    offset: int
    replayed: bool


def dead_letter(record: Record, poison: Poison, group: str, time: datetime) -> DeadLetter:
    """Return the dead letter for a record that `group` can't handle."""
    return DeadLetter(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key,
        value=record.value,
        headers={k: v for k, v in record.headers.items() if not k.startswith(PREFIX)},
        group=group,
        reason=poison.reason[:REASON_CHARACTERS],
        kind=poison.kind,
        sightings=poison.sightings,
        attempt=1 + _number(record.headers.get(ATTEMPT, b"")),
        time=time,
    )


def short(letter: DeadLetter) -> DeadLetter:
    """Return a dead letter that always fits its topic: metadata without contents."""
    value = letter.value or b""
    left_out = LeftOut(len(value), sha256(value).hexdigest())
    return replace(letter, key=None, value=None, headers={}, left_out=left_out)


def encode(letter: DeadLetter) -> dict[str, bytes]:
    """Return all headers of a dead letter."""
    ours: dict[str, object] = {
        "reason": letter.reason,
        "kind": letter.kind,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "attempt": letter.attempt,
        "time": letter.time.astimezone(UTC).isoformat(),
        "sightings": letter.sightings,
    }
    if letter.left_out:
        ours |= {
            "value-bytes": letter.left_out.bytes,
            "value-sha256": letter.left_out.sha256,
        }
    told = {f"{PREFIX}{k}": str(v).encode(errors="replace") for k, v in ours.items()}
    return {**letter.headers, **told}


def decode(record: Record, *, replayed: bool) -> DeadLetter:
    """Return the dead letter of a record.

    Raises:
        ValueError: the record is not a dead letter.
    """
    try:
        ours = {
            name.removeprefix(PREFIX): value.decode()
            for name, value in record.headers.items()
            if name.startswith(PREFIX)
        }
        left_out = _left_out(ours)
        return DeadLetter(
            topic=ours["topic"],
            partition=int(ours["partition"]),
            offset=int(ours["offset"]),
            key=record.key,
            value=None if left_out else record.value,
            headers={k: v for k, v in record.headers.items() if not k.startswith(PREFIX)},
            group=record.topic.removeprefix(f"{ours['topic']}.").removesuffix(".dlq"),
            reason=ours["reason"],
            kind=ours["kind"],
            sightings=int(ours["sightings"]),
            attempt=int(ours["attempt"]),
            time=datetime.fromisoformat(ours["time"]),
            left_out=left_out,
            mark=Mark(record.partition, record.offset, replayed),
        )
    except (KeyError, ValueError, OverflowError) as error:
        place = f"{record.topic} partition {record.partition} offset {record.offset}"
        raise ValueError(
            f"{place} is not a dead letter: {record.fault or repr(error)}; was it written by hand?"
        ) from error


def read(
    kafka: KafkaSettings,
    names: Sequence[str],
    foreign: Callable[[str], object] = log.warning,
    latest: int | None = None,
) -> Iterator[DeadLetter]:
    """Yield all dead letters currently in these topics.

    With `latest`, only that many of each partition. Each partition is in order. Missing topics are
    empty. Foreign records are skipped; `foreign` is called for each.

    Raises:
        Transient: the broker does not respond.
    """
    timeout = round(1000 * kafka.request_timeout_seconds)
    with (
        closing(_reader(kafka, latest)) as client,
        broker_errors("reading dead letters"),
    ):
        parts = [TopicPartition(n, p) for n in names for p in client.partitions_for_topic(n)]
        if not parts:
            return
        client.assign(parts)
        ends = client.end_offsets(parts)
        done = {part: client.committed(part, timeout_ms=timeout) or 0 for part in parts}
        begins = client.beginning_offsets(parts)
        for part in parts:
            client.seek(part, max(begins[part], 0 if latest is None else ends[part] - latest))
        while any(client.position(part, timeout_ms=timeout) < ends[part] for part in parts):
            polled = client.poll(timeout)
            if not polled:
                raise Transient(f"no dead letter arrived within {timeout} ms though some are left")
            for part, raws in polled.items():
                for raw in raws:
                    if raw.offset >= ends[part]:
                        continue
                    try:
                        yield decode(as_record(raw), replayed=raw.offset < done[part])
                    except ValueError as error:
                        foreign(str(error))


def find(kafka: KafkaSettings, topic: str, partition: int, offset: int) -> DeadLetter | None:
    """Return one dead letter by its position; None: not found.

    Raises:
        Transient: the broker does not respond.
    """
    timeout = round(1000 * kafka.request_timeout_seconds)
    part = TopicPartition(topic, partition)
    with closing(_reader(kafka, 1)) as client, broker_errors("reading a dead letter"):
        if partition not in (client.partitions_for_topic(topic) or ()):
            return None
        client.assign([part])
        begin, end = client.beginning_offsets([part])[part], client.end_offsets([part])[part]
        if not begin <= offset < end:
            return None
        client.seek(part, offset)
        for raw in client.poll(timeout, max_records=1).get(part, ()):
            try:
                return decode(as_record(raw), replayed=False) if raw.offset == offset else None
            except ValueError:
                return None
    return None


def waiting(kafka: KafkaSettings, names: Sequence[str]) -> int:
    """Return how many dead letters were not replayed yet, by offsets.

    Includes those without a value, which cannot be replayed.

    Raises:
        Transient: the broker does not respond.
    """
    timeout = round(1000 * kafka.request_timeout_seconds)
    with closing(_reader(kafka, 1)) as client, broker_errors("counting dead letters"):
        parts = [TopicPartition(n, p) for n in names for p in client.partitions_for_topic(n) or ()]
        if not parts:
            return 0
        begins, ends = client.beginning_offsets(parts), client.end_offsets(parts)
        done = {part: client.committed(part, timeout_ms=timeout) or 0 for part in parts}
        return sum(max(0, ends[part] - max(begins[part], done[part])) for part in parts)


def _reader(kafka: KafkaSettings, latest: int | None) -> KafkaConsumer:
    if latest is None:
        return consumer(kafka, REPLAY_GROUP)
    return consumer(kafka, REPLAY_GROUP, max_bytes=LOOKED_AT_BYTES)


def replay(kafka: KafkaSettings, letters: Iterable[DeadLetter]) -> int:
    """Send dead letters back to their original topics, and return how many.

    Each is marked after the broker's acknowledgement, so an interrupted replay resumes. The mark is
    an offset: unreplayed dead letters below it count as done too, but stay readable.

    Raises:
        Transient: the broker does not respond; what was sent before is marked.
        ValueError: a letter that was not read from its topic, or whose value is not in it.
    """
    count = 0
    with (
        closing(consumer(kafka, REPLAY_GROUP)) as marks,
        closing(producer(kafka, "replay")) as origin,
        broker_errors("replaying dead letters"),
    ):
        for letter in letters:
            if letter.mark is None:
                raise ValueError(f"a letter of {letter.address} has no place: read it first")
            if letter.left_out:
                raise ValueError(f"{letter.address} has only a short letter: nothing to replay")
            headers = {**letter.headers, ATTEMPT: str(letter.attempt).encode()}
            sent = origin.send(letter.topic, letter.value, letter.key, list(headers.items()))
            sent.get(delivery_seconds(kafka) + 1)
            part = TopicPartition(letter.address, letter.mark.partition)
            if not letter.mark.replayed:
                marks.commit({part: OffsetAndMetadata(letter.mark.offset + 1, "", -1)})
            count += 1
    return count


def _left_out(ours: Mapping[str, str]) -> LeftOut | None:
    if "value-sha256" not in ours:
        return None
    return LeftOut(int(ours["value-bytes"]), ours["value-sha256"])


def _number(text: bytes) -> int:
    """Return the attempts so far; the header is untrusted."""
    return int(text) if text.isdigit() and len(text) <= ATTEMPT_DIGITS else 0

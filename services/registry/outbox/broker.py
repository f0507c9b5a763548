"""The broker for the outbox: publishes, and looks up single records."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

from google.protobuf.message import DecodeError, Message
from kafka import TopicPartition

from services.registry.ledger.receipts import Position, Proof
from shared.errors import Transient
from shared.kafka import topics
from shared.kafka.clients import broker_errors, consumer, delivery_seconds, producer
from shared.messages import Decision, Enrolment
from shared.records import Receipt
from shared.settings import KafkaSettings

NAME = "registry-outbox"


class Broker:
    """A connection to the broker; close it. Every method may raise Transient."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._patience = delivery_seconds(kafka) + 1
        self._consumer = consumer(kafka, NAME, max_bytes=1)  # one record, never more
        try:
            self._producer = producer(kafka, NAME)
        except Transient:
            self._consumer.close()
            raise

    def since(
        self, topic: str, starts: Mapping[tuple[str, int], int]
    ) -> Iterator[Decision | Enrolment]:
        """Yield a topic's messages to its end, from offsets by partition, or from the beginning.

        Records that are not messages are skipped.
        """
        timeout = round(1000 * self._patience)
        with closing(consumer(self._kafka, NAME)) as client, broker_errors("reading a topic"):
            every = [
                TopicPartition(topic, number) for number in client.partitions_for_topic(topic) or ()
            ]
            begins, ends = client.beginning_offsets(every), client.end_offsets(every)
            first = {
                part: max(begins[part], starts.get((topic, part.partition), 0)) for part in every
            }
            parts = [part for part in every if first[part] < ends[part]]
            if not parts:
                return
            client.assign(parts)
            for part in parts:
                client.seek(part, first[part])
            while any(client.position(part) < ends[part] for part in parts):
                polled = client.poll(timeout)
                if not polled:
                    raise Transient(f"nothing arrived within {timeout} ms though {topic} has more")
                for raws in polled.values():
                    for raw in raws:
                        if (message := _read(topic, raw.value)) is not None:
                            yield message

    def close(self) -> None:
        """Disconnect."""
        self._producer.close(timeout=self._patience)
        self._consumer.close()

    def publish(self, messages: Sequence[Message]) -> list[Receipt]:
        """Send messages in order and return when the broker has acknowledged all."""
        with broker_errors("publishing the outbox"):
            sent = [(message, self._send(message)) for message in messages]
            taken = [(message, future.get(self._patience)) for message, future in sent]
        return [Receipt(message, at.topic, at.partition, at.offset) for message, at in taken]

    def position(self, proof: Proof) -> Position:
        """Return a partition's content at a recorded offset."""
        partition = TopicPartition(proof.topic, proof.partition)
        with broker_errors("looking up a record"):
            if proof.partition not in (self._consumer.partitions_for_topic(proof.topic) or ()):
                return Position(0, 0, None)
            beginning = self._consumer.beginning_offsets([partition])[partition]
            end = self._consumer.end_offsets([partition])[partition]
            if not beginning <= proof.offset < end:
                return Position(beginning, end, None)
            return Position(beginning, end, self._message(partition, proof.offset))

    def _send(self, message: Message) -> Any:
        address = topics.address(message)
        value = message.SerializeToString(deterministic=True)
        return self._producer.send(address.topic, value, address.key.encode())

    def _message(self, partition: Any, offset: int) -> Decision | Enrolment | None:
        self._consumer.assign([partition])
        self._consumer.seek(partition, offset)
        polled = self._consumer.poll(int(1000 * self._patience), max_records=1)
        records = polled.get(partition)
        if not records:
            raise Transient(f"{partition.topic} did not return its record at offset {offset}")
        if records[0].offset != offset:
            return None
        return _read(partition.topic, records[0].value)


def _read(topic: str, value: bytes | None) -> Decision | Enrolment | None:
    """Return the message of a record; None: invalid."""
    kind = Decision if topic == topics.DECISIONS else Enrolment
    try:
        return kind.FromString(value or b"")
    except DecodeError:
        return None

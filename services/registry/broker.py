"""The broker as the outbox needs it: publish, and look up one record."""

from collections.abc import Sequence
from typing import Any

from google.protobuf.message import DecodeError, Message
from kafka import TopicPartition

from services.registry.proof import Position, Proof
from shared import topics
from shared.errors import Transient
from shared.kafka import broker_errors, consumer, delivery_seconds, producer
from shared.messages import Decision, Enrolment
from shared.records import Receipt
from shared.settings import KafkaSettings

NAME = "registry-outbox"


class Broker:
    """One connection to the broker, made here; close it. Every method may raise Transient."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._patience = delivery_seconds(kafka) + 1
        self._consumer = consumer(kafka, NAME, max_bytes=1)  # one record, never more
        try:
            self._producer = producer(kafka, NAME)
        except Transient:
            self._consumer.close()
            raise

    def close(self) -> None:
        """Disconnect."""
        self._producer.close(timeout=self._patience)
        self._consumer.close()

    def publish(self, messages: Sequence[Message]) -> list[Receipt]:
        """Send messages in order and return when the broker has taken all of them."""
        with broker_errors("publishing the outbox"):
            sent = [(message, self._send(message)) for message in messages]
            taken = [(message, future.get(self._patience)) for message, future in sent]
        return [Receipt(message, at.topic, at.partition, at.offset) for message, at in taken]

    def position(self, proof: Proof) -> Position:
        """Return what the broker has at the place of a proof."""
        partition = TopicPartition(proof.topic, proof.partition)
        with broker_errors("looking up a proof"):
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
            raise Transient(f"{partition.topic} did not give its record at offset {offset}")
        if records[0].offset != offset:
            return None
        kind = Decision if partition.topic == topics.DECISIONS else Enrolment
        try:
            return kind.FromString(records[0].value or b"")
        except DecodeError:
            return None

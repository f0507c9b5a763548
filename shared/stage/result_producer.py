"""The produce side of a stage: results and dead letters."""

import contextlib
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from google.protobuf.message import Message
from kafka import KafkaProducer
from kafka.errors import (
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)

from shared.errors import Poison, Transient
from shared.kafka import topics
from shared.kafka.clients import MESSAGE_BYTES, broker_errors, delivery_seconds, producer
from shared.process import service_metrics
from shared.process.tracing import Headers
from shared.records import Receipt, Record, Result
from shared.settings import KafkaSettings
from shared.stage.dead_letters import DeadLetter, DeadLetterError, dead_letter, encode, short

log = logging.getLogger(__name__)

# Errors for messages that are too large for their topic.
TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)


class ResultProducer:
    """Publishes the results of a batch and its dead letters, and waits for the broker.

    The producer is created when first needed, and again after a failure: an idempotent producer
    that lost a record cannot be used any more.
    """

    def __init__(self, kafka: KafkaSettings, group: str) -> None:
        self._kafka = kafka
        self._group = group
        self._patience = delivery_seconds(kafka) + 1
        self._producer: KafkaProducer | None = None

    def publish(self, results: Sequence[tuple[Record, Result, Headers]]) -> list[Receipt]:
        """Send everything and return a receipt for each message once all are acknowledged.

        Each result comes with the headers of its messages. A message that is too large for the
        broker makes its record poison.

        Raises:
            Transient: the broker did not acknowledge a message in time; all may be sent again.
            DeadLetterError: the broker did not acknowledge a dead letter.
        """
        poisoned: list[tuple[Record, Poison]] = []
        receipts: list[Receipt] = []
        try:
            with broker_errors("publishing"):
                # All are sent before the first is waited for: one round trip, not many.
                started = [
                    (record, self._start(result, headers)) for record, result, headers in results
                ]
                for record, sent in started:
                    poison = sent if isinstance(sent, Poison) else self._wait(sent, receipts)
                    if poison is not None:
                        poisoned.append((record, poison))
        except Transient:
            self.close()
            raise
        for record, poison in poisoned:
            self._give_up(record, poison)
        return receipts

    def close(self) -> None:
        """Close the producer."""
        if self._producer is not None:
            client, self._producer = self._producer, None
            # Unacknowledged records count as not sent and are sent again.
            with contextlib.suppress(KafkaTimeoutError):
                client.close(timeout=self._patience)

    def _start(self, result: Result, headers: Headers) -> list[tuple[Message, Any]] | Poison:
        if isinstance(result, Poison):
            return result
        sent = []
        for message in result:
            address = topics.address(message)
            value = message.SerializeToString(deterministic=True)
            if len(value) > MESSAGE_BYTES:  # the producer allows more, for dead letters
                return _too_large(message, f"a message holds at most {MESSAGE_BYTES} bytes")
            try:
                future = self._client.send(address.topic, value, address.key.encode(), headers)
            except TOO_LARGE as error:
                return _too_large(message, error)
            sent.append((message, future))
        return sent

    def _wait(self, sent: Sequence[tuple[Message, Any]], receipts: list[Receipt]) -> Poison | None:
        poison = None
        for message, future in sent:
            try:
                taken = future.get(self._patience)
            except TOO_LARGE as error:
                poison = _too_large(message, error)
                continue
            receipts.append(Receipt(message, taken.topic, taken.partition, taken.offset))
            service_metrics.PRODUCED.labels(self._group, taken.topic).inc()
        return poison

    def _give_up(self, record: Record, poison: Poison) -> None:
        letter = dead_letter(record, poison, self._group, datetime.now(UTC))
        try:
            try:
                self._post(letter)
            except TOO_LARGE:
                self._post(short(letter))
        except (KafkaError, Transient) as error:
            raise DeadLetterError(
                f"{letter.address} did not take {record.topic} partition {record.partition} "
                f"offset {record.offset}: {error}; nothing is committed, so it will be redelivered"
            ) from error
        service_metrics.DEAD_LETTERS.labels(self._group, record.topic, poison.kind).inc()
        log.error(
            "dead letter: %s",
            poison.reason,
            extra={"topic": record.topic, "partition": record.partition, "offset": record.offset},
        )

    def _post(self, letter: DeadLetter) -> None:
        # The broker's client refuses a record with neither key nor value.
        value = b"" if letter.key is None and letter.value is None else letter.value
        headers = list(encode(letter).items())
        self._client.send(letter.address, value, letter.key, headers).get(self._patience)

    @property
    def _client(self) -> KafkaProducer:
        if self._producer is None:
            self._producer = producer(self._kafka, self._group)
        return self._producer


def _too_large(message: Message, error: KafkaError | str) -> Poison:
    topic = topics.address(message).topic
    return Poison(
        f"the {type(message).__name__} of {message.ByteSize()} bytes that follows from it is "
        f"too large for {topic}: {error}; raise the topic's max.message.bytes and replay it",
        kind="output-too-large",
    )

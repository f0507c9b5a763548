"""Reads topics without a consumer group and without commits."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from kafka import TopicPartition

from shared.errors import ResightError
from shared.kafka.clients import as_record, broker_errors, consumer
from shared.records import Record
from shared.settings import KafkaSettings


class MissingTopicError(ResightError):
    """A required topic is missing; the message says how to create it."""


class TopicReader:
    """Reads topics from their beginning or from now on. Use it as a context manager.

    Raises:
        Transient: the broker does not respond (from any method).
        MissingTopicError: a topic does not exist.
    """

    def __init__(
        self, kafka: KafkaSettings, topics: Sequence[str], *, from_beginning: bool
    ) -> None:
        # No static membership: that ID belongs to a service.
        self._client = consumer(kafka.model_copy(update={"instance_id": ""}), "feed")
        self._timeout = round(1000 * kafka.request_timeout_seconds)
        with broker_errors("reading topics"):
            parts = [part for topic in topics for part in self._partitions(topic)]
            self._client.assign(parts)
            seek = self._client.seek_to_beginning if from_beginning else self._client.seek_to_end
            seek(*parts)
            # Seeking is lazy; asking for the position makes "from now on" mean now.
            for part in parts:
                self._client.position(part, timeout_ms=self._timeout)

    def poll(self, seconds: float) -> list[Record]:
        """Return what has arrived, waiting up to `seconds` for the first record."""
        with broker_errors("reading topics"):
            polled = self._client.poll(round(1000 * seconds))
        return [as_record(raw) for raws in polled.values() for raw in raws]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._client.close(timeout_ms=3000)

    def _partitions(self, topic: str) -> list[TopicPartition]:
        numbers = self._client.partitions_for_topic(topic)
        if not numbers:
            self._client.close(timeout_ms=3000)
            raise MissingTopicError(
                f"topic {topic} does not exist on this broker; `resight up` creates it, on a "
                "broker of your own create it first, or name another with --bootstrap-servers"
            )
        return [TopicPartition(topic, number) for number in sorted(numbers)]

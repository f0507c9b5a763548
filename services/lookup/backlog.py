"""Counts candidate lists that await a decision, from the consumer groups' lag."""

from collections.abc import Collection

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import KafkaError

from shared.errors import Transient
from shared.kafka import topics
from shared.kafka.clients import admin
from shared.settings import KafkaSettings

# The stages after lookup: topic and consumer group.
DOWNSTREAM = ((topics.CANDIDATES, "matcher"), (topics.MATCHES, "registry"))

# The consume loop waits for the response.
TIMEOUT_SECONDS = 2.0


class Backlog:
    """Reads the lag of matcher and registry; connects when first called."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka.model_copy(update={"request_timeout_seconds": TIMEOUT_SECONDS})
        self._admin: KafkaAdminClient | None = None

    def __call__(self) -> int:
        """Return the lists and matches that were published but not consumed.

        Raises:
            Transient: the broker does not respond.
        """
        try:
            if self._admin is None:
                self._admin = admin(self._kafka)
            return sum(_lag(self._admin, topic, group) for topic, group in DOWNSTREAM)
        except KafkaError as error:
            self.close()
            raise Transient(f"reading the lag of matcher and registry failed: {error}") from error

    def close(self) -> None:
        """Disconnect; the next call connects again."""
        if self._admin is not None:
            client, self._admin = self._admin, None
            client.close()


def _lag(client: KafkaAdminClient, topic: str, group: str) -> int:
    (described,) = client.describe_topics([topic])
    partitions = [TopicPartition(topic, p["partition_index"]) for p in described["partitions"]]
    marks = client.list_group_offsets({group: partitions})[group]
    taken = {p: marks[p].offset for p in partitions if p in marks and marks[p].offset >= 0}
    # A group without a commit starts at the topic's beginning, which retention moves.
    untouched = [p for p in partitions if p not in taken]
    taken.update(_offsets(client, untouched, OffsetSpec.EARLIEST))
    ends = _offsets(client, partitions, OffsetSpec.LATEST)
    return sum(max(0, ends[p] - taken[p]) for p in partitions)


def _offsets(
    client: KafkaAdminClient, partitions: Collection[TopicPartition], spec: OffsetSpec
) -> dict[TopicPartition, int]:
    if not partitions:
        return {}
    found = client.list_partition_offsets(dict.fromkeys(partitions, spec))
    return {partition: mark.offset for partition, mark in found.items()}

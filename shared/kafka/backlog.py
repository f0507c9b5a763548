"""Backlog of each service, from the broker."""

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass

from kafka import TopicPartition

from shared.kafka import topics
from shared.kafka.clients import broker_errors, consumer
from shared.settings import KafkaSettings


@dataclass(frozen=True)
class Backlog:
    """Records in each topic, and each group's lag."""

    records: Mapping[str, int]  # topic -> records that it holds
    lag: Mapping[str, int]  # group -> records after its committed position

    @property
    def dead_letters(self) -> int:
        """Records in all dead-letter topics."""
        return sum(self.records[topic] for topic in topics.dead_letter_topics())


def read(kafka: KafkaSettings) -> Backlog:
    """Read the backlog from the broker. A missing topic counts as empty.

    Raises:
        Transient: the broker does not respond.
    """
    watched = kafka.model_copy(update={"instance_id": ""})
    every = [*topics.ALL, *topics.dead_letter_topics()]
    with closing(consumer(watched, "feed")) as client, broker_errors("reading positions"):
        parts = {
            topic: [TopicPartition(topic, n) for n in client.partitions_for_topic(topic) or ()]
            for topic in every
        }
        flat = [part for some in parts.values() for part in some]
        ends = client.end_offsets(flat) if flat else {}
        begins = client.beginning_offsets(flat) if flat else {}
    lag = {}
    for group, inputs in topics.INPUTS.items():
        # A consumer without an assignment never joins the group whose commits it reads.
        with closing(consumer(watched, group)) as member, broker_errors("reading positions"):
            lag[group] = sum(
                ends[part] - max(member.committed(part) or 0, begins[part])
                for part in _inputs(parts, inputs)
            )
    records = {topic: sum(ends[p] - begins[p] for p in some) for topic, some in parts.items()}
    return Backlog(records, lag)


def _inputs(
    parts: Mapping[str, list[TopicPartition]], inputs: Iterable[str]
) -> Iterable[TopicPartition]:
    return (part for topic in inputs for part in parts[topic])

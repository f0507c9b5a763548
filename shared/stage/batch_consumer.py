"""The consume side of a stage: bounded batches, and positions that survive rebalances.

kafka-python keeps the position *and* the paused flag of a partition that stays
assigned across a rebalance. So after every rebalance all positions go back to
what is committed, and what the poll that noticed it returned is dropped.
"""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kafka import ConsumerRebalanceListener, KafkaConsumer, TopicPartition
from kafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
from kafka.structs import MemberState, OffsetAndMetadata

from shared.errors import Poison
from shared.kafka import clients
from shared.kafka.clients import as_record, broker_errors
from shared.process import service_metrics
from shared.records import Record
from shared.settings import KafkaSettings
from shared.stage.crash_attempts import CrashAttempts, Notes
from shared.stage.stall import Partition, PartitionProgress

# While a batch waits, polls are this short: membership and shutdown need no more.
SLICE_SECONDS = 0.2

# The group moved on before the commit: the records come again, here or elsewhere.
_MOVED = (
    CommitFailedError,
    IllegalGenerationError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)


@dataclass(frozen=True)
class Delivery:
    """One record as it came, with the leader epoch that its commit must carry."""

    record: Record
    leader_epoch: int

    @property
    def size(self) -> int:
        """Bytes of the key and the value."""
        return len(self.record.key or b"") + len(self.record.value or b"")


def cut(
    polled: Mapping[Partition, Sequence[Delivery]], max_bytes: int
) -> tuple[list[Delivery], dict[Partition, int]]:
    """Take deliveries until the next one would pass `max_bytes`, and at least one.

    Returns them, and for each partition with a rest the offset at which it begins.
    """
    taken: list[Delivery] = []
    rest: dict[Partition, int] = {}
    room = max_bytes
    for partition, deliveries in polled.items():
        for delivery in deliveries:
            if taken and (rest or delivery.size > room):
                rest[partition] = delivery.record.offset
                break
            taken.append(delivery)
            room -= delivery.size
    return taken, rest


class BatchConsumer:
    """What one group reads from its topics. Not thread-safe; `open` it first.

    A record
    that was in hand when `crashes` crashes of the service ended is given up (see `crash_attempts`).
    Every method that talks to the broker raises Transient when it is away; then
    `close` and `open` again.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        group: str,
        topics: Sequence[str],
        *,
        max_messages: int,
        max_bytes: int,
        max_crashes: int,
    ) -> None:
        self._kafka = kafka
        self._group = group
        self._topics = list(topics)
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._rewind: frozenset[str] = frozenset()
        self._own: dict[Partition, int] = {}
        self._crash_attempts = CrashAttempts(max_crashes, max_messages)
        self._notes = Notes(kafka, group)
        self._changes = _Changes(group)
        self._consumer: KafkaConsumer | None = None

    def open(self) -> None:
        """Connect and subscribe; the group is joined in the first `take`s."""
        self._changes = _Changes(self._group)
        self._consumer = clients.consumer(self._kafka, self._group, max_bytes=self._max_bytes)
        self._consumer.subscribe(self._topics, listener=self._changes)

    def close(self) -> None:
        """Leave the group, without committing, and disconnect. May be called twice."""
        if self._consumer is not None:
            client, self._consumer = self._consumer, None
            client.close(autocommit=False, timeout_ms=int(1000 * clients.CONNECT_SECONDS))
        self._notes.close()

    @property
    def joined(self) -> bool:
        """Whether the group has this member, be it without partitions."""
        return (
            self._consumer is not None
            and self._consumer.group_metadata().state == MemberState.STABLE
        )

    def take(self, held: frozenset[str], seconds: float) -> list[Delivery]:
        """Return the next batch, in order within each partition, or nothing in time.

        The partitions of the topics in `held` are paused meanwhile.
        """
        with broker_errors("reading"):
            self._pause(held)
            polled = self._client.poll(int(1000 * seconds), max_records=self._max_messages)
            if self._reset_if_moved():
                return []
            taken, rest = cut(_deliveries(polled), self._max_bytes)
            together = self._crash_attempts.together([delivery.record for delivery in taken])
            for delivery in reversed(taken[together:]):
                rest[delivery.record.topic, delivery.record.partition] = delivery.record.offset
            for partition, offset in rest.items():
                self._client.seek(TopicPartition(*partition), offset)
            return taken[:together]

    def read_anew(self, topics: frozenset[str]) -> None:
        """Read topics from their beginning, whatever the group has committed.

        Once for each partition; after that it goes on from where this object stands.
        """
        self._rewind |= topics
        self._own = {
            partition: offset
            for partition, offset in self._own.items()
            if partition[0] not in topics
        }
        self._changes.pending = True

    def note(self, batch: Sequence[Delivery]) -> None:
        """Note, where it is first seen in this life, what is in hand should the life end."""
        self._notes.write(self._crash_attempts.to_note(delivery.record for delivery in batch))

    def withdraw(self, batch: Sequence[Delivery]) -> None:
        """Take `note` back: the batch waits, or is given back, through no fault of its own."""
        self._notes.write(self._crash_attempts.to_withdraw(delivery.record for delivery in batch))

    def condemned(self, delivery: Delivery) -> Poison | None:
        """Return why a record is not to be handled: it has ended too many crashes."""
        return self._crash_attempts.condemned(delivery.record)

    def wait(self, seconds: float) -> bool:
        """Stay a member for about one slice of `seconds`, everything paused.

        False: the assignment changed, and any batch in hand must be dropped.
        """
        with broker_errors("staying in the group"):
            self._pause(frozenset(self._topics))
            self._client.poll(int(1000 * min(seconds, SLICE_SECONDS)))
            return not self._reset_if_moved()

    def commit(self, batch: Sequence[Delivery]) -> bool:
        """Commit what follows the batch; False when the group moved on and it comes again."""
        offsets = {
            TopicPartition(d.record.topic, d.record.partition): OffsetAndMetadata(
                d.record.offset + 1, "", d.leader_epoch
            )
            for d in batch
        }
        try:
            with broker_errors("committing"):
                self._client.commit(offsets)
        except _MOVED:
            self._changes.pending = True
            return False
        self._own.update(
            (partition, mark.offset)
            for partition, mark in offsets.items()
            if partition.topic in self._rewind
        )
        self._notes.write(self._crash_attempts.passed(delivery.record for delivery in batch))
        return True

    def progress(self) -> dict[Partition, PartitionProgress]:
        """Return where each assigned partition stands; asks the broker."""
        with broker_errors("asking for end offsets"):
            assigned = self._client.assignment()
            ends = self._client.end_offsets(assigned) if assigned else {}
            paused = self._client.paused()
            return {
                (p.topic, p.partition): PartitionProgress(
                    self._client.position(p, timeout_ms=int(1000 * SLICE_SECONDS)),
                    ends[p],
                    p in paused,
                )
                for p in assigned
            }

    @property
    def _client(self) -> KafkaConsumer:
        if self._consumer is None:
            raise RuntimeError(f"the intake of {self._group} is not open")
        return self._consumer

    def _pause(self, held: frozenset[str]) -> None:
        """Make the paused flags what they should be; partitions keep old ones (see above)."""
        assigned = self._client.assignment()
        wanted = {p for p in assigned if p.topic in held}
        paused = self._client.paused()
        self._client.pause(*(wanted - paused))
        self._client.resume(*(paused - wanted))
        self._unblock_parked()

    def _unblock_parked(self) -> None:
        """Let records that were fetched before a pause come back after it.

        kafka-python 3.0.12 parks them, and takes them back only when no other
        partition's records are in line; records that are used up still count
        as in line until the next fetch, which with everything parked never comes.
        """
        fetcher = self._client._fetcher  # noqa: SLF001 - there is no public way
        if not fetcher._next_partition_records:  # noqa: SLF001
            fetcher._next_partition_records = None  # noqa: SLF001

    def _reset_if_moved(self) -> bool:
        if not self._changes.pending:
            return False
        self._changes.pending = False
        anew = []
        starts: dict[Partition, int] = {}
        for partition in self._client.assignment():
            offset = self._start(partition)
            if offset is None:
                self._client.seek_to_beginning(partition)
                anew.append(partition)
            else:
                self._client.seek(partition, offset)
            starts[partition.topic, partition.partition] = offset or 0
        self._forget_commits([p for p in anew if p.topic in self._rewind])
        self._crash_attempts.begin(starts, self._notes.read(starts))
        return True

    def _forget_commits(self, rewound: Sequence[Any]) -> None:
        """Take back what an earlier process committed: were this one to end before it has read
        everything again, its successor must not go on from there.
        """
        if not rewound:
            return
        begins = self._client.beginning_offsets(rewound)
        with contextlib.suppress(*_MOVED):  # then this happens again after the rebalance
            self._client.commit({p: OffsetAndMetadata(begins[p], "", -1) for p in rewound})

    def _start(self, partition: Any) -> int | None:
        if partition.topic in self._rewind:
            return self._own.get(partition)
        timeout = int(1000 * self._kafka.request_timeout_seconds)
        committed: int | None = self._client.committed(partition, timeout_ms=timeout)
        return committed


class _Changes(ConsumerRebalanceListener):  # type: ignore[misc]  # the client is untyped
    """Notes that the assignment changed; called on the client's IO thread."""

    def __init__(self, group: str) -> None:
        self._group = group
        self.pending = False

    def on_partitions_revoked(self, revoked: Any) -> None:  # noqa: ARG002
        self.pending = True

    def on_partitions_assigned(self, assigned: Any) -> None:  # noqa: ARG002
        self.pending = True
        service_metrics.REBALANCES.labels(self._group).inc()


def _deliveries(polled: Mapping[Any, Sequence[Any]]) -> dict[Partition, list[Delivery]]:
    return {
        (partition.topic, partition.partition): [
            Delivery(as_record(raw), raw.leader_epoch) for raw in records
        ]
        for partition, records in polled.items()
    }

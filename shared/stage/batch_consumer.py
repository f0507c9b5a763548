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

    A record in progress at `crashes` crashes is dead-lettered (see `crash_attempts`).
    Methods raise Transient when the broker is unavailable; then `close` and `open` again.
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
        """Connect and subscribe; the first calls of `take` join the group."""
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
        """Whether this member has joined the group, even without partitions."""
        return (
            self._consumer is not None
            and self._consumer.group_metadata().state == MemberState.STABLE
        )

    def take(self, held: frozenset[str], seconds: float) -> list[Delivery]:
        """Return the next batch, in order within each partition; empty after a timeout.

        Partitions of the topics in `held` are paused.
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

    def read_from_beginning(self, topics: frozenset[str]) -> None:
        """Read topics from their beginning, ignoring commits.

        Once per partition; afterwards reading continues from there.
        """
        self._rewind |= topics
        self._own = {
            partition: offset
            for partition, offset in self._own.items()
            if partition[0] not in topics
        }
        self._changes.pending = True

    def note(self, batch: Sequence[Delivery]) -> None:
        """Note the records in hand when they are first seen, in case the process dies."""
        self._notes.write(self._crash_attempts.to_note(delivery.record for delivery in batch))

    def withdraw(self, batch: Sequence[Delivery]) -> None:
        """Withdraw the note: the batch waits or is dropped for another reason."""
        self._notes.write(self._crash_attempts.to_withdraw(delivery.record for delivery in batch))

    def condemned(self, delivery: Delivery) -> Poison | None:
        """Return why a record is dead-lettered unseen: it was in hand at too many crashes."""
        return self._crash_attempts.condemned(delivery.record)

    def wait(self, seconds: float) -> bool:
        """Stay in the group for part of `seconds`, everything paused.

        False: the assignment changed, and the batch must be dropped.
        """
        with broker_errors("staying in the group"):
            self._pause(frozenset(self._topics))
            self._client.poll(int(1000 * min(seconds, SLICE_SECONDS)))
            return not self._reset_if_moved()

    def commit(self, batch: Sequence[Delivery]) -> bool:
        """Commit the batch; False when the group rebalanced and it will be redelivered."""
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
        """Return the progress of each assigned partition, from the broker."""
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
            raise RuntimeError(f"the consumer of {self._group} is not open")
        return self._consumer

    def _pause(self, held: frozenset[str]) -> None:
        """Set the paused flags; partitions keep stale ones (see above)."""
        assigned = self._client.assignment()
        wanted = {p for p in assigned if p.topic in held}
        paused = self._client.paused()
        self._client.pause(*(wanted - paused))
        self._client.resume(*(paused - wanted))
        self._unblock_parked()

    def _unblock_parked(self) -> None:
        """Return records that were fetched before a pause.

        kafka-python 3.0.12 parks them and restores them only when no other partition has buffered
        records; consumed records count as buffered until the next fetch, which never happens while
        everything is parked.
        """
        fetcher = self._client._fetcher  # noqa: SLF001 - there is no public way
        if not fetcher._next_partition_records:  # noqa: SLF001
            fetcher._next_partition_records = None  # noqa: SLF001

    def _reset_if_moved(self) -> bool:
        if not self._changes.pending:
            return False
        self._changes.pending = False
        fresh = []
        starts: dict[Partition, int] = {}
        for partition in self._client.assignment():
            offset = self._start(partition)
            if offset is None:
                self._client.seek_to_beginning(partition)
                fresh.append(partition)
            else:
                self._client.seek(partition, offset)
            starts[partition.topic, partition.partition] = offset or 0
        self._forget_commits([p for p in fresh if p.topic in self._rewind])
        self._crash_attempts.begin(starts, self._notes.read(starts))
        return True

    def _forget_commits(self, rewound: Sequence[Any]) -> None:
        """Reset an earlier process's commits, in case this one ends before reading again."""
        if not rewound:
            return
        begins = self._client.beginning_offsets(rewound)
        with contextlib.suppress(*_MOVED):  # repeated after the rebalance
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

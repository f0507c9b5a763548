"""Dead-letters a record that crashes its service repeatedly.

A picture that makes a decoder segfault, or exhausts memory, kills the process without an exception;
uncommitted, it would be redelivered for ever. So the first record of a partition is noted before it
is handled, where the note survives: as a committed offset of a second group, `<group>.suspects`.
The offset encodes two numbers, record × 16 + crashes, because the embedded broker keeps no
metadata.

After the first batch of a partition nothing more is noted, so the loop stays fast. After a crash,
the records that may have been in hand are handled one by one, so that only the faulty one is
blamed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from kafka import KafkaAdminClient, TopicPartition
from kafka.structs import OffsetAndMetadata

from shared.errors import Poison
from shared.kafka import clients
from shared.kafka.clients import broker_errors
from shared.records import Record
from shared.settings import KafkaSettings
from shared.stage.stall import Partition

# A note has four bits for the number of crashes.
_MAX_NOTED = 15
_FACTOR = _MAX_NOTED + 1


@dataclass(frozen=True)
class CrashAttempt:
    """Crashes of the service at one offset of a partition."""

    offset: int
    crashes: int


@dataclass(frozen=True)
class _PartitionState:
    """Crash state of one partition, and up to where records are handled one by one."""

    suspicion: CrashAttempt
    alone_from: int = 0
    alone_until: int = 0
    trusted: bool = False

    def alone(self, offset: int) -> bool:
        return self.alone_from <= offset < self.alone_until

    def crashes(self, offset: int) -> int:
        return self.suspicion.crashes if self.suspicion.offset == offset else 0


class CrashAttempts:
    """Decides which records are noted, handled alone, or dead-lettered. Holds no connection.

    Args:
        limit: crashes after which a record is dead-lettered.
        span: maximum records in hand at once.
    """

    def __init__(self, limit: int, span: int) -> None:
        self._limit = limit
        self._span = span
        self._states: dict[Partition, _PartitionState] = {}
        self._own: dict[Partition, CrashAttempt] = {}  # noted by this process

    def begin(
        self, starts: Mapping[Partition, int], noted: Mapping[Partition, CrashAttempt]
    ) -> None:
        """Start from these offsets, with the notes of earlier processes.

        A note before the start is obsolete. One after it occurs where records were deleted or a
        partition is read again.
        """
        self._states = {}
        for partition, start in starts.items():
            found = noted.get(partition, CrashAttempt(start, 0))
            if found == self._own.get(partition):
                found = CrashAttempt(found.offset, found.crashes - 1)
            if found.offset < start or not found.crashes:
                self._states[partition] = _PartitionState(CrashAttempt(start, 0))
                continue
            self._states[partition] = _PartitionState(
                found, found.offset, found.offset + self._span
            )

    def together(self, records: Sequence[Record]) -> int:
        """Return how many of these records may be handled together."""
        for number, record in enumerate(records):
            if self._of(record).alone(record.offset):
                return max(number, 1)
        return len(records)

    def to_note(self, records: Iterable[Record]) -> dict[Partition, CrashAttempt]:
        """Return the notes to write before these records are handled."""
        first: dict[Partition, Record] = {}
        for record in records:
            first.setdefault(_place(record), record)
        notes = {}
        for partition, record in first.items():
            state = self._of(record)
            if not state.trusted or state.alone(record.offset):
                crashes = min(state.crashes(record.offset) + 1, _MAX_NOTED)
                notes[partition] = CrashAttempt(record.offset, crashes)
        self._own.update(notes)
        return notes

    def to_withdraw(self, records: Iterable[Record]) -> dict[Partition, CrashAttempt]:
        """Return the notes to write when these records are dropped without a crash."""
        return {
            place: CrashAttempt(noted.offset, noted.crashes - 1)
            for place in {_place(record) for record in records}
            if (noted := self._own.get(place)) is not None
        }

    def condemned(self, record: Record) -> Poison | None:
        """Return why a record is dead-lettered unseen, if it is."""
        crashes = self._of(record).crashes(record.offset)
        if crashes < self._limit:
            return None
        return Poison(
            f"the service crashed {crashes} times with this record in hand ({record.topic} "
            f"partition {record.partition} offset {record.offset}), so it is not tried again; see "
            f"the service's log before each restart, and replay the dead letter once the cause is "
            f"fixed",
            kind="ends-the-service",
        )

    def passed(self, records: Iterable[Record]) -> dict[Partition, CrashAttempt]:
        """Record that these were committed; return the notes to write."""
        last = {_place(record): record for record in records}
        cleared = {}
        for place, record in last.items():
            innocent = CrashAttempt(record.offset + 1, 0)
            self._states[place] = replace(self._of(record), suspicion=innocent, trusted=True)
            if self._own.pop(place, None) is not None:
                cleared[place] = innocent
        return cleared

    def _of(self, record: Record) -> _PartitionState:
        return self._states.get(_place(record), _PartitionState(CrashAttempt(record.offset, 0)))


def _place(record: Record) -> Partition:
    return record.topic, record.partition


class Notes:
    """Stores the notes in the broker. Connects when first used.

    Every method raises Transient when the broker is away.
    """

    def __init__(self, kafka: KafkaSettings, group: str) -> None:
        self._kafka = kafka
        self._group = f"{group}.suspects"
        self._admin: KafkaAdminClient | None = None

    def read(self, partitions: Iterable[Partition]) -> dict[Partition, CrashAttempt]:
        """Return the notes of these partitions."""
        wanted = [TopicPartition(*partition) for partition in partitions]
        if not wanted:
            return {}
        with broker_errors("reading crash notes"):
            found = self._client.list_group_offsets({self._group: wanted})[self._group]
        return {
            (place.topic, place.partition): CrashAttempt(*divmod(mark.offset, _FACTOR))
            for place, mark in found.items()
            if mark.offset >= 0
        }

    def write(self, notes: Mapping[Partition, CrashAttempt]) -> None:
        """Write notes."""
        if not notes:
            return
        marks = {
            TopicPartition(*partition): OffsetAndMetadata(
                note.offset * _FACTOR + note.crashes,
                f"{note.crashes} crashes at offset {note.offset}",
                -1,
            )
            for partition, note in notes.items()
        }
        with broker_errors("writing crash notes"):
            for error in self._client.alter_group_offsets(self._group, marks).values():
                if error.errno:
                    raise error(f"group {self._group}")

    def close(self) -> None:
        """Disconnect; the next call connects again."""
        if self._admin is not None:
            client, self._admin = self._admin, None
            client.close()

    @property
    def _client(self) -> KafkaAdminClient:
        if self._admin is None:
            self._admin = clients.admin(self._kafka)
        return self._admin

"""Detects partitions that have records but make no progress.

Kafka clients can stop fetching a partition without an error
(https://github.com/dpkp/kafka-python/issues/3106 is one such case). Nothing else shows it: the
member stays in its group and its polls return nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

Partition = tuple[str, int]


@dataclass(frozen=True)
class PartitionProgress:
    """Progress of one assigned partition.

    `position` is the next offset to read, None if unknown. `end` is the offset after the last
    record.
    """

    position: int | None
    end: int
    paused: bool

    @property
    def lag(self) -> int:
        """Waiting records; 0 when the position is unknown or past the end."""
        return 0 if self.position is None else max(0, self.end - self.position)

    @property
    def behind(self) -> bool:
        """Whether there is something to fetch, and nothing that keeps it from being fetched."""
        return not self.paused and self.end > (self.position or 0)


class StallWatch:
    """Tracks how long each partition has made no progress."""

    def __init__(self, limit_seconds: float) -> None:
        self._limit = limit_seconds
        self._still: dict[Partition, tuple[int | None, float]] = {}

    def observe(
        self, now: float, progress: Mapping[Partition, PartitionProgress]
    ) -> frozenset[Partition]:
        """Return the partitions that have been behind at one position for the limit.

        `now` is in seconds of a clock that runs only while the client waits for
        records: a partition that waits its turn behind a slow batch is not stalled.
        """
        self._still = {
            partition: (reading.position, self._since(partition, reading, now))
            for partition, reading in progress.items()
            if reading.behind
        }
        return frozenset(
            partition for partition, (_, since) in self._still.items() if now - since >= self._limit
        )

    def forget(self) -> None:
        """Reset, as after the client was recreated."""
        self._still = {}

    def _since(self, partition: Partition, reading: PartitionProgress, now: float) -> float:
        position, since = self._still.get(partition, (reading.position, now))
        return since if position == reading.position else now

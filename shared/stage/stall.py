"""Noticing a partition that has records but does not advance.

Kafka clients can stop fetching a partition without an error
(https://github.com/dpkp/kafka-python/issues/3106 is one such case). Nothing
else would tell: the member stays in its group and its polls come back empty.
"""

from collections.abc import Mapping
from dataclasses import dataclass

Partition = tuple[str, int]


@dataclass(frozen=True)
class PartitionProgress:
    """Where one assigned partition stands.

    `position` is the next offset that will be read, None when the client does
    not know it. `end` is the offset after the last record.
    """

    position: int | None
    end: int
    paused: bool

    @property
    def lag(self) -> int:
        """Records that wait; 0 when the position is unknown or past the end."""
        return 0 if self.position is None else max(0, self.end - self.position)

    @property
    def behind(self) -> bool:
        """Whether there is something to fetch, and nothing that keeps it from being fetched."""
        return not self.paused and self.end > (self.position or 0)


class StallWatch:
    """Remembers since when each partition has stood still. Keeps no clock."""

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
        """Start afresh, as after the client was built anew."""
        self._still = {}

    def _since(self, partition: Partition, reading: PartitionProgress, now: float) -> float:
        position, since = self._still.get(partition, (reading.position, now))
        return since if position == reading.position else now

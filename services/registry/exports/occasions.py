"""Occasions of a capture-recapture study: periods of equal length."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.registry.exports.record import Record, Records


@dataclass(frozen=True)
class Occasions:
    """Occasions of a study: start, number, and days of each."""

    first: datetime
    count: int
    days: int

    def number(self, at: datetime) -> int:
        """Return the number of a time's occasion, from 0."""
        return (at - self.first) // timedelta(days=self.days)


def occasions(found: Records, days: int) -> Occasions:
    """Return the occasions from the first to the last dated sighting of an individual."""
    times = [at for _, at in timed(found)]
    if not times:
        return Occasions(datetime.min, 0, days)
    first = min(times).replace(hour=0, minute=0, second=0, microsecond=0)
    return Occasions(first, (max(times) - first) // timedelta(days=days) + 1, days)


def timed(found: Records) -> Iterator[tuple[Record, datetime]]:
    """Yield the dated records of individuals."""
    for each in found:
        if each.individual and each.captured_at:
            yield each, each.captured_at


def plain(name: str) -> str:
    """Return a name as one word that cannot end a comment."""
    return "_".join(name.replace("*", "").split()) or "unknown"

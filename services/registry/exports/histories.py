"""Capture histories for mark-recapture: which animal was seen on which occasion.

For MARK (http://www.phidot.org/software/mark): a line of 0 and 1 for each animal. For
spatial models (R's secr, https://CRAN.R-project.org/package=secr): a line for each capture, with
the detector, and the detectors with their places.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.registry.exports.pieces import Pieces, lines
from services.registry.exports.record import Record, Records

# A metre grid that is near enough within a study's area.
METRES = 111_320.0


@dataclass(frozen=True)
class Occasions:
    """When the occasions of a study begin, how many there are, and how many days each has."""

    first: datetime
    count: int
    days: int

    def number(self, at: datetime) -> int:
        """Return the number of the occasion of a time, from 0."""
        return (at - self.first) // timedelta(days=self.days)


def occasions(found: Records, days: int) -> Occasions:
    """Return the occasions between the first and the last sighting of an individual with a time."""
    times = [at for _, at in _timed(found)]
    if not times:
        return Occasions(datetime.min, 0, days)
    first = min(times).replace(hour=0, minute=0, second=0, microsecond=0)
    return Occasions(first, (max(times) - first) // timedelta(days=days) + 1, days)


def mark(found: Records, days: int) -> Pieces:
    """Yield an .inp file: histories over occasions of so many days, each of one animal."""
    those = occasions(found, days)
    histories: dict[str, bytearray] = {}
    for each, at in _timed(found):
        history = histories.setdefault(each.name, bytearray(b"0" * those.count))
        history[those.number(at)] = ord("1")
    yield from lines([f"/* {those.count} occasions of {days} days from {those.first:%Y-%m-%d} */"])
    yield from lines(
        f"/* {_plain(name)} */ {told.decode()} 1;" for name, told in sorted(histories.items())
    )


def secr_captures(found: Records, days: int) -> Pieces:
    """Yield captures as secr reads them: session, animal, occasion, detector."""
    those = occasions(found, days)
    seen = {
        (_plain(each.name), those.number(at) + 1, _plain(each.deployment))
        for each, at in _timed(found)
    }
    yield from lines(["# Session ID Occasion Detector"])
    yield from lines(f"1 {name} {occasion} {detector}" for name, occasion, detector in sorted(seen))


def secr_detectors(found: Records) -> Pieces:
    """Yield the detectors with their places in metres east and north of the first one's corner."""
    places = {each.deployment: each.place for each in found if each.place}
    yield from lines(["# Detector X Y"])
    if places:
        south = min(place.latitude for place in places.values())
        west = min(place.longitude for place in places.values())
        wide = METRES * math.cos(math.radians(south))
        yield from lines(
            f"{_plain(name)} {(place.longitude - west) * wide:.1f} "
            f"{(place.latitude - south) * METRES:.1f}"
            for name, place in sorted(places.items())
        )


def _timed(found: Records) -> Iterator[tuple[Record, datetime]]:
    """Yield the records of individuals with their times, if they have one."""
    for each in found:
        if each.individual and each.captured_at:
            yield each, each.captured_at


def _plain(name: str) -> str:
    """Return a name as one word that ends no comment."""
    return "_".join(name.replace("*", "").split()) or "unknown"

"""Capture histories for mark-recapture: which animal was seen on which occasion.

For MARK (http://www.phidot.org/software/mark): a line of 0 and 1 for each animal. For
spatial models (R's secr, https://CRAN.R-project.org/package=secr): a line for each capture, with
the detector, and the detectors with their places.
"""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from services.registry.exports.record import Record

# A metre grid that is near enough within a study's area.
METRES = 111_320.0


def occasions(found: Sequence[Record], days: int) -> tuple[list[Record], datetime, int]:
    """Return the records of individuals with a time, when they begin, and how many occasions."""
    kept = [each for each in found if each.individual and each.captured_at]
    times = [each.captured_at for each in kept if each.captured_at]
    if not times:
        return [], datetime.min, 0
    first = min(times).replace(hour=0, minute=0, second=0, microsecond=0)
    return kept, first, (max(times) - first) // timedelta(days=days) + 1


def mark(found: Sequence[Record], days: int) -> bytes:
    """Return an .inp file: histories over occasions of so many days, each of one animal."""
    kept, first, count = occasions(found, days)
    histories: dict[str, list[str]] = {}
    for each in kept:
        history = histories.setdefault(each.name, ["0"] * count)
        history[_occasion(each, first, days)] = "1"
    lines = [f"/* {count} occasions of {days} days from {first:%Y-%m-%d} */"]
    lines += [
        f"/* {_plain(name)} */ {''.join(told)} 1;" for name, told in sorted(histories.items())
    ]
    return ("\n".join(lines) + "\n").encode()


def secr_captures(found: Sequence[Record], days: int) -> bytes:
    """Return captures as secr reads them: session, animal, occasion, detector."""
    kept, first, _ = occasions(found, days)
    lines = ["# Session ID Occasion Detector"]
    seen = sorted(
        {
            (_plain(each.name), _occasion(each, first, days) + 1, _plain(each.deployment))
            for each in kept
        }
    )
    lines += [f"1 {name} {occasion} {detector}" for name, occasion, detector in seen]
    return ("\n".join(lines) + "\n").encode()


def secr_detectors(found: Sequence[Record]) -> bytes:
    """Return the detectors with their places in metres east and north of the first one's corner."""
    places = {each.deployment: each.place for each in found if each.place}
    lines = ["# Detector X Y"]
    if places:
        south = min(place.latitude for place in places.values())
        west = min(place.longitude for place in places.values())
        wide = METRES * math.cos(math.radians(south))
        lines += [
            f"{_plain(name)} {(place.longitude - west) * wide:.1f} "
            f"{(place.latitude - south) * METRES:.1f}"
            for name, place in sorted(places.items())
        ]
    return ("\n".join(lines) + "\n").encode()


def _occasion(record: Record, first: datetime, days: int) -> int:
    return ((record.captured_at or first) - first) // timedelta(days=days)


def _plain(name: str) -> str:
    """Return a name as one word."""
    return "_".join(name.replace("*/", "").split()) or "unknown"

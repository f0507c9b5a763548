"""What the columns of a metadata.csv say about one animal.

Tables as wildlife-datasets writes them (WildlifeReID-10k, AnimalCLEF) call some columns
otherwise, and give the box in pixels as `[x, y, width, height]`; both are understood.
"""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime

from shared.messages import Box

Row = Mapping[str, str]

# Our column -> what others call it; ours goes first where both are filled.
_ALIASES = {
    "viewpoint": ("orientation",),
    "sequence": ("encounter", "encounter_id"),
    "population": ("dataset",),
    "split": ("original_split",),
}
_NOBODY = frozenset({"", "unknown"})
_BOX = ("x", "y", "width", "height")


def value(row: Row, name: str) -> str:
    """Return what a row says under a column's name or an alias of it; '' for nothing."""
    return next((text for each in (name, *_ALIASES.get(name, ())) if (text := row.get(each))), "")


def names_individual(identity: str) -> bool:
    """Return whether an identity is somebody's: '' and 'unknown' are nobody's."""
    return identity.strip().casefold() not in _NOBODY


def box(row: Row) -> Box | None:
    """Return the animal's box in fractions of the picture; None: the row has none.

    Raises:
        ValueError: a number is missing or none.
    """
    if value(row, "bbox"):
        return _in_pixels(row)
    # Width and height without x and y are the picture's size, as many datasets have them.
    if not value(row, "x") and not value(row, "y"):
        return None
    return Box(**{name: _number(row, name, "a fraction of the picture") for name in _BOX})


def time(text: str) -> datetime | None:
    """Return an ISO 8601 time, in UTC where it names no zone; None of ''.

    Raises:
        ValueError: it is written otherwise.
    """
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"date is {text!r}, not like 2026-05-04 or 2026-05-04T06:12:00") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _in_pixels(row: Row) -> Box:
    width = _number(row, "width", "the picture's width in pixels, which bbox needs")
    height = _number(row, "height", "the picture's height in pixels, which bbox needs")
    try:
        x, y, wide, high = map(float, json.loads(row["bbox"]))
    except (ValueError, TypeError):
        raise ValueError(f"bbox is {row['bbox']!r}, not [x, y, width, height] in pixels") from None
    # Boxes of other tools reach over the edge by a pixel or two.
    left, right = _within(x, width), _within(x + wide, width)
    top, bottom = _within(y, height), _within(y + high, height)
    if not (left < right and top < bottom):
        raise ValueError(f"bbox is {row['bbox']!r}, outside of {width:g} × {height:g} pixels")
    return Box(x=left, y=top, width=right - left, height=bottom - top)


def _within(at: float, length: float) -> float:
    return min(max(at / length, 0.0), 1.0) if length > 0 else 0.0


def _number(row: Row, name: str, meaning: str) -> float:
    text = value(row, name)
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{name} is {text!r}, not {meaning}")
    return number

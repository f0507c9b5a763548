"""Columns of a metadata.csv.

Column names and units of other tools are understood: wildlife-datasets (WildlifeReID-10k,
AnimalCLEF), Camtrap DP, MegaDetector and Timelapse, boxes in pixels included. Their placeholders
for missing values count as empty.
"""

import difflib
import json
import math
from collections.abc import Callable, Iterable, Mapping

from shared.messages import Box, Place

Row = Mapping[str, str]
Size = tuple[int, int]

# Our column -> names in other tools; ours has priority.
_ALIASES: Mapping[str, tuple[str, ...]] = {
    "path": ("filepath", "file_path", "image_path", "filename", "file_name", "file", "image"),
    "identity": ("individualid", "individual_id", "individual"),
    "species": ("scientificname", "scientific_name"),
    "viewpoint": ("orientation",),
    "date": ("timestamp", "datetime", "date_time", "captured_at"),
    "deployment": ("deploymentid", "deployment_id"),
    "sequence": ("encounter", "encounter_id", "eventid", "sequenceid", "sequence_id"),
    "population": ("dataset",),
    "split": ("original_split",),
    "latitude": ("decimallatitude", "lat", "gps_lat"),
    "longitude": ("decimallongitude", "lon", "lng", "gps_lon"),
}
_EMPTY = frozenset({"", "na", "n/a", "#n/a", "<na>", "nan", "nat", "null", "none", "-"})
_NOBODY = frozenset({"", "unknown"})
_BOX = ("x", "y", "width", "height")
_CAMTRAP = ("bboxx", "bboxy", "bboxwidth", "bboxheight")

_OURS = (*_ALIASES, *_BOX, "bbox", "relativepath")
_KNOWN = frozenset((*_OURS, *_CAMTRAP, *(name for names in _ALIASES.values() for name in names)))

# Larger numbers are not fractions, even allowing for rounding.
_FRACTION = 1.01


def header(written: str | None) -> str:
    """Return our name of a column, ignoring case and surrounding spaces."""
    return (written or "").strip().casefold()


def unused(headers: Iterable[str]) -> list[str]:
    """Return the unused columns, with suggestions."""
    told = []
    for name in headers:
        if name and name not in _KNOWN:
            near = difflib.get_close_matches(name, _OURS, n=1)
            told.append(f"{name} (did you mean {near[0]}?)" if near else name)
    return told


def cell(text: str | None) -> str:
    """Return a cell's value; '' for other tools' placeholders."""
    plain = (text or "").strip()
    return "" if plain.casefold() in _EMPTY else plain


def value(row: Row, name: str) -> str:
    """Return a row's value of a column or its alias; '' if empty."""
    return next((text for each in (name, *_ALIASES.get(name, ())) if (text := row.get(each))), "")


def names_individual(identity: str) -> bool:
    """Return whether an identity names an individual; '' and 'unknown' do not."""
    return identity.strip().casefold() not in _NOBODY


def path(row: Row) -> str:
    """Return the picture's path; Timelapse has the folder in another column."""
    folder, name = row.get("relativepath", ""), value(row, "path")
    return f"{folder}/{name}" if folder and name else name


def box(row: Row, size: Callable[[], Size]) -> Box | None:
    """Return the animal's box in fractions of the picture; None: the row has none.

    Numbers above 1 are pixels; then the table's `width` and `height` are the picture's, or `size`
    is called for them.

    Raises:
        ValueError: a number is missing or invalid, or the box is outside the picture.
    """
    if row.get("bbox"):
        return _listed(row, size)
    names = _CAMTRAP if row.get("bboxx") or row.get("bboxy") else _BOX
    # Width and height without x and y are the picture's size, as many datasets have them.
    if not row.get(names[0]) and not row.get(names[1]):
        return None
    x, y, width, height = (_number(row, name, "a fraction of the picture") for name in names)
    if max(x + width, y + height) <= _FRACTION:
        return Box(x=x, y=y, width=width, height=height)
    told = ", ".join(f"{name} {row[name]}" for name in names)
    return _within((x, y, width, height), size(), told)


def place(row: Row) -> Place | None:
    """Return where the picture was taken; None: the row does not say.

    Raises:
        ValueError: one of them is missing or out of range.
    """
    told = {name: value(row, name) for name in ("latitude", "longitude")}
    if not any(told.values()):
        return None
    latitude, longitude = (_number(told, name, "degrees") for name in told)
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise ValueError(f"latitude {latitude:g} and longitude {longitude:g} are not a location")
    return Place(latitude=latitude, longitude=longitude)


def _listed(row: Row, size: Callable[[], Size]) -> Box:
    """Read `bbox`, [x, y, width, height]: MegaDetector's in fractions, other tools' in pixels."""
    told = f"bbox is {row['bbox']!r}"
    try:
        x, y, wide, high = map(float, json.loads(row["bbox"]))
    except (ValueError, TypeError):
        raise ValueError(f"{told}, not [x, y, width, height]") from None
    numbers = (x, y, wide, high)
    if not all(math.isfinite(number) for number in numbers):
        raise ValueError(f"{told}, not [x, y, width, height]")
    if max(x + wide, y + high) <= _FRACTION:
        return _within(numbers, (1, 1), told)
    if row.get("width") and row.get("height"):
        meaning = "the picture's size in pixels, which bbox needs"
        picture = (_number(row, "width", meaning), _number(row, "height", meaning))
        return _within(numbers, picture, told)
    return _within(numbers, size(), told)


def _within(
    numbers: tuple[float, float, float, float], picture: tuple[float, float], told: str
) -> Box:
    """Return a box clipped to the picture; other tools' boxes exceed it by a pixel or two."""
    x, y, wide, high = numbers
    width, height = picture
    left, right = _fraction(x, width), _fraction(x + wide, width)
    top, bottom = _fraction(y, height), _fraction(y + high, height)
    if not (left < right and top < bottom):
        raise ValueError(f"{told}, outside of {width:g} × {height:g} pixels")
    return Box(x=left, y=top, width=right - left, height=bottom - top)


def _fraction(at: float, length: float) -> float:
    return min(max(at / length, 0.0), 1.0) if length > 0 else 0.0


def _number(row: Row, name: str, meaning: str) -> float:
    text = row.get(name, "")
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{name} is {text!r}, not {meaning}")
    return number

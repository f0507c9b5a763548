"""A bare image as a record's value, described by Kafka headers.

    deployment, species, population, sequence, capture-id   text
    captured-at            ISO 8601; UTC if without offset
    clock-correction       seconds to add to the EXIF time, if the camera's clock was wrong
    latitude, longitude    degrees, WGS 84; both or neither
    viewpoint              left, right, front, back or top; other words: unknown
    box                    x,y,width,height as fractions; several separated by ';'

All are optional, and an empty header counts as missing.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from services.embedder.captures.limits import MOST_CORRECTED_SECONDS, check_count
from shared.errors import Poison
from shared.messages import Animal, Box, Capture, Place
from shared.viewpoints import named

_SECRET = frozenset({"latitude", "longitude"})
_KNOWN = _SECRET | {
    "deployment",
    "species",
    "population",
    "sequence",
    "capture-id",
    "captured-at",
    "clock-correction",
    "viewpoint",
    "box",
}
_MAX_BYTES = 16 * 1024


def describe(image: bytes, headers: Mapping[str, bytes], max_animals: int) -> Capture:
    """Return the capture that an image and its headers describe.

    Other headers are ignored.

    Raises:
        Poison: of kind bad-header, naming the header and, unless it is a location, its value; of
            kind too-many-animals, before the boxes are parsed.
    """
    known = {name.lower(): value for name, value in headers.items() if name.lower() in _KNOWN}
    words = {name: _text(name, value) for name, value in known.items()}
    check_count(words.get("box", "").count(";") + 1, max_animals)
    capture = Capture(
        capture_id=words.get("capture-id", ""),
        inline=image,
        species=words.get("species", ""),
        population=words.get("population", ""),
        deployment=words.get("deployment", ""),
        sequence=words.get("sequence", ""),
        viewpoint=named(words.get("viewpoint", "")),
        animals=[Animal(box=box) for box in _boxes(words.get("box", ""))],
    )
    if taken := words.get("captured-at"):
        capture.captured_at.CopyFrom(_time(taken))
    if correction := words.get("clock-correction"):
        capture.clock_correction.seconds = _seconds("clock-correction", correction)
    latitude, longitude = words.get("latitude", ""), words.get("longitude", "")
    if latitude or longitude:
        capture.place.CopyFrom(
            Place(latitude=_number("latitude", latitude), longitude=_number("longitude", longitude))
        )
    return capture


def _text(name: str, value: bytes) -> str:
    if len(value) > _MAX_BYTES:
        raise _bad(name, f"{len(value)} bytes", f"the limit is {_MAX_BYTES} bytes")
    try:
        return value.decode().strip()
    except UnicodeDecodeError as error:
        raise _bad(name, repr(value[:80]), "send it as UTF-8") from error


def _boxes(value: str) -> list[Box]:
    return [_box(part) for part in value.split(";")] if value else []


def _box(value: str) -> Box:
    parts = value.split(",")
    if len(parts) != 4:
        raise _bad("box", repr(value), "send x,y,width,height as fractions of the picture")
    x, y, width, height = (_number("box", part) for part in parts)
    return Box(x=x, y=y, width=width, height=height)


def _number(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise _bad(name, repr(value), "send numbers such as 0.25") from error


def _seconds(name: str, value: str) -> int:
    number = _number(name, value)
    if not abs(number) <= MOST_CORRECTED_SECONDS:
        raise _bad(name, repr(value), "the limit is a century; send seconds")
    return round(number)


def _time(value: str) -> Timestamp:
    stamp = Timestamp()
    try:
        moment = datetime.fromisoformat(value)
        stamp.FromDatetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError) as error:
        raise _bad(
            "captured-at", repr(value), "send ISO 8601, 2026-05-31T17:04:09+02:00"
        ) from error
    return stamp


def _bad(name: str, value: str, way_out: str) -> Poison:
    told = "a value that is not a number" if name in _SECRET else f"the value {value[:120]}"
    return Poison(f"the header {name} has {told}; {way_out}", kind="bad-header")

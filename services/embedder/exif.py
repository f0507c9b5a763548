"""Time and place of a photograph from its EXIF tags, where the message has none."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from PIL import ExifTags

from shared.images import Exif
from shared.messages import Place

_GPS = ExifTags.GPS
_TIME = "%Y:%m:%d %H:%M:%S"
_OFFSET = "%z"


def captured_at(exif: Exif) -> Timestamp | None:
    """Return when the photograph was taken, from DateTimeOriginal and OffsetTimeOriginal.

    Without an offset the camera's clock is taken for UTC. None when the tag is
    missing or malformed, such as the `0000:00:00 00:00:00` of an unset clock.
    """
    taken = _parsed(exif.details.get(ExifTags.Base.DateTimeOriginal), _TIME)
    if taken is None:
        return None
    offset = _parsed(exif.details.get(ExifTags.Base.OffsetTimeOriginal), _OFFSET)
    shift = (offset.utcoffset() if offset else None) or timedelta()
    stamp = Timestamp()
    try:
        stamp.FromDatetime(taken.replace(tzinfo=UTC) - shift)
    except (ValueError, OverflowError):
        return None
    return stamp


def place(exif: Exif) -> Place | None:
    """Return where the photograph was taken, from the GPS tags; None when missing or malformed."""
    latitude = _degrees(exif.gps, _GPS.GPSLatitude, _GPS.GPSLatitudeRef, "NS")
    longitude = _degrees(exif.gps, _GPS.GPSLongitude, _GPS.GPSLongitudeRef, "EW")
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    return Place(latitude=latitude, longitude=longitude)


def _parsed(value: Any, pattern: str) -> datetime | None:
    try:
        return datetime.strptime(str(value).strip("\0 "), pattern)
    except ValueError:
        return None


def _degrees(gps: Mapping[int, Any], value: int, reference: int, signs: str) -> float | None:
    """Return degrees, minutes and seconds as one number; the second of `signs` is negative."""
    try:
        degrees, minutes, seconds = (float(part) for part in gps[value])
        sign = (1, -1)[signs.index(str(gps[reference]).strip("\0 ").upper())]
    except (KeyError, TypeError, ValueError, ZeroDivisionError, IndexError):
        return None
    total = sign * (degrees + minutes / 60 + seconds / 3600)
    return total if math.isfinite(total) else None

"""Reads time and location from EXIF, for messages without them."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from PIL import ExifTags

from shared.images.codec import Exif
from shared.messages import Place

_GPS = ExifTags.GPS
_TIME = "%Y:%m:%d %H:%M:%S"
_OFFSET = "%z"

# Cameras that were never set report dates before EXIF existed.
FIRST_YEAR = 1995
LAST_YEAR = 2099

_BASE = ExifTags.Base
_TAGS = (
    (_BASE.DateTimeOriginal, _BASE.OffsetTimeOriginal, _BASE.SubsecTimeOriginal),
    (_BASE.DateTimeDigitized, _BASE.OffsetTimeDigitized, _BASE.SubsecTimeDigitized),
    (_BASE.DateTime, _BASE.OffsetTime, _BASE.SubsecTime),
)


def captured_at(exif: Exif) -> Timestamp | None:
    """Return when the photograph was taken, from the first valid tag.

    The tags are DateTimeOriginal, DateTimeDigitized and DateTime, each with its own offset and
    fraction of a second. Without an offset, UTC is assumed. None when no tag has a plausible time,
    as when the clock was never set.
    """
    return next((stamp for tags in _TAGS if (stamp := _taken(exif, *tags)) is not None), None)


def place(exif: Exif) -> Place | None:
    """Return where the photograph was taken, from the GPS tags; None when missing or malformed.

    0, 0 counts as missing: receivers write it until they have a fix.
    """
    latitude = _degrees(exif.gps, _GPS.GPSLatitude, _GPS.GPSLatitudeRef, "NS")
    longitude = _degrees(exif.gps, _GPS.GPSLongitude, _GPS.GPSLongitudeRef, "EW")
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return None
    if latitude == longitude == 0:
        return None
    return Place(latitude=latitude, longitude=longitude)


def _taken(exif: Exif, time: int, offset: int, fraction: int) -> Timestamp | None:
    # DateTime is among the main tags; its offset and fraction are in the sub-directory.
    told = exif.details.get(time, exif.main.get(time))
    taken = _parsed(told, _TIME)
    if taken is None or not FIRST_YEAR <= taken.year <= LAST_YEAR:
        return None
    zone = _parsed(exif.details.get(offset), _OFFSET)
    shift = (zone.utcoffset() if zone else None) or timedelta()
    digits = str(exif.details.get(fraction, "")).strip("\0 ")
    if digits.isascii() and digits.isdigit():
        taken += timedelta(seconds=float(f"0.{digits[:6]}"))
    stamp = Timestamp()
    stamp.FromDatetime(taken.replace(tzinfo=UTC) - shift)
    return stamp


def _parsed(value: Any, pattern: str) -> datetime | None:
    try:
        return datetime.strptime(str(value).strip("\0 "), pattern)
    except ValueError:
        return None


def _degrees(gps: Mapping[int, Any], value: int, reference: int, signs: str) -> float | None:
    """Return degrees, minutes and seconds as one number, negative for the second of `signs`."""
    try:
        degrees, minutes, seconds = (float(part) for part in gps[value])
        told = gps[reference]
    except (KeyError, TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    hemisphere = told.strip("\0 ").upper()[:1] if isinstance(told, str) else ""
    if not hemisphere or hemisphere not in signs:  # the empty string is part of every text
        return None
    sign = 1 if hemisphere == signs[0] else -1
    total = sign * (degrees + minutes / 60 + seconds / 3600)
    return total if math.isfinite(total) else None

"""Dates and times in tables."""

import re
from datetime import UTC, datetime, timedelta

# Day and month are distinguished by position, or not at all.
_FORMATS = (
    "%Y:%m:%d %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%d-%b-%Y %H:%M:%S",
    "%d %b %Y %H:%M:%S",
    "%d-%b-%Y",
    "%d %b %Y",
)
_CORRECTION = re.compile(
    r"([+\-\N{MINUS SIGN}]?)(?:(\d{1,5})d)?(?:(\d{1,6})h)?(?:(\d{1,8})m)?(?:(\d{1,9})s)?"
)
_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(.*)")


def time(text: str) -> datetime | None:
    """Return a time, UTC unless it has a zone; None for ''.

    Raises:
        ValueError: the format is unknown or ambiguous, or the time is invalid.
    """
    if not text:
        return None
    try:
        found = _parsed(text)
        aware = found if found.tzinfo else found.replace(tzinfo=UTC)
        return aware.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"date is {text!r}, beyond the years 1 to 9999") from None


def correction(text: str) -> timedelta:
    """Return a clock correction written as +2h, -1d3h20m or 90s.

    Raises:
        ValueError: it has another format.
    """
    found = _CORRECTION.fullmatch(text.replace(" ", "").casefold())
    if found is None or not any(found.groups()[1:]):
        raise ValueError(f"{text!r} is not a clock correction; write it as +2h, -1d3h20m or 90s")
    days, hours, minutes, seconds = (int(each or 0) for each in found.groups()[1:])
    added = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if added > timedelta(days=36_525):
        raise ValueError(f"{text!r} is more than a century")
    return -added if found[1] in ("-", "\N{MINUS SIGN}") else added


def _parsed(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    if slashed := _SLASHED.fullmatch(text):
        return _slashed(text, slashed)
    for pattern in _FORMATS:
        try:
            return datetime.strptime(text, pattern)
        except ValueError:
            continue
    raise ValueError(f"date is {text!r}, not like 2026-05-04 or 2026-05-04T06:12:00")


def _slashed(text: str, found: re.Match[str]) -> datetime:
    first, second, year, rest = found.groups()
    if int(first) <= 12 and int(second) <= 12 and first != second:
        raise ValueError(
            f"date is {text!r}, in which day and month are ambiguous; write 2026-05-04"
        )
    day, month = (first, second) if int(first) > 12 else (second, first)
    try:
        return datetime.fromisoformat(f"{year}-{month:0>2}-{day:0>2}{rest}")
    except ValueError:
        raise ValueError(f"date is {text!r}, not like 2026-05-04T06:12:00") from None

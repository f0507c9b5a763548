"""Wildbook's bulk-import table: one encounter per row, pictures in columns."""

from collections.abc import Mapping
from pathlib import Path

from catalogue.reading.columns import Row
from catalogue.reading.csv_tables import records
from catalogue.reading.limits import MOST_LINE, Limits
from catalogue.reading.listing import LeftOut, Listing

_ASSET = "Encounter.mediaAsset"
_WHO = ("Encounter.individualID", "MarkedIndividual.individualID", "Encounter.individual")
_BURST = ("Encounter.occurrenceID", "Occurrence.occurrenceID", "Sighting.sightingID")
_WHERE = ("Encounter.locationID", "Encounter.verbatimLocality")


def is_wildbook(path: Path) -> bool:
    """Return whether a file's first line has Wildbook's columns."""
    if path.suffix.casefold() not in {".csv", ".txt", ".tsv"}:
        return False
    try:
        with path.open(encoding="utf-8-sig") as lines:
            return f"{_ASSET}0" in lines.readline(MOST_LINE)
    except (OSError, UnicodeDecodeError):
        return False


def read(path: Path, limits: Limits) -> Listing:
    """Return the pictures of a table.

    Raises:
        ForeignError: it can't be read.
    """
    rows: list[Row] = []
    left: list[LeftOut] = []
    for line, told in records(path, limits):
        where = f"{path.name}, line {line}"
        assets = [
            told[name]
            for name in told
            if name.startswith(_ASSET) and name.removeprefix(_ASSET).isdigit() and told[name]
        ]
        if not assets:
            left.append(LeftOut(where, "it has no picture"))
            continue
        try:
            date = _date(told)
        except ValueError as error:
            left.append(LeftOut(where, str(error)))
            continue
        rows += [_row(told, asset, date) for asset in assets]
    return Listing("Wildbook", rows, left)


def _row(told: Mapping[str, str], asset: str, date: str) -> Row:
    genus, epithet = told.get("Encounter.genus", ""), told.get("Encounter.specificEpithet", "")
    return {
        "path": asset,
        "identity": _first(told, _WHO),
        "species": f"{genus} {epithet}".strip(),
        "viewpoint": told.get("Encounter.viewpoint", ""),
        "date": date,
        "deployment": _first(told, _WHERE),
        "sequence": _first(told, _BURST),
        "latitude": told.get("Encounter.decimalLatitude", ""),
        "longitude": told.get("Encounter.decimalLongitude", ""),
    }


def _date(told: Mapping[str, str]) -> str:
    """Return year to minute as one text; '' without a day.

    Raises: ValueError: a part is not a number.
    """
    parts = [told.get(f"Encounter.{name}", "") for name in ("year", "month", "day")]
    clock = [told.get(f"Encounter.{name}", "") or "0" for name in ("hour", "minutes")]
    if not all(parts):
        return ""
    try:
        year, month, day, hour, minute = (int(float(part)) for part in (*parts, *clock))
    except ValueError:
        raise ValueError(
            f"its date is {'-'.join(parts)} {':'.join(clock)}, which are not numbers"
        ) from None
    return f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:00"


def _first(told: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((told[name] for name in names if told.get(name)), "")

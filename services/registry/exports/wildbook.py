"""Wildbook's standard format for bulk imports: one encounter per row."""

from typing import Any

from services.registry.exports.format import ExportFormat, ExportRequest, Files
from services.registry.exports.pieces import Pieces, table
from services.registry.exports.record import Record, Records

_NAMES = """
mediaAsset0 individualID genus specificEpithet year month day hour minutes decimalLatitude
decimalLongitude locationID occurrenceID viewpoint researcherComments
"""
COLUMNS = tuple(f"Encounter.{name}" for name in _NAMES.split())


def wildbook(found: Records) -> Pieces:
    """Yield the table. Genus and epithet are the species' first two words."""
    return table(COLUMNS, map(_row, found))


def _row(record: Record) -> tuple[Any, ...]:
    genus, _, rest = record.species.replace("_", " ").partition(" ")
    at, place = record.captured_at, record.place
    return (
        record.picture,
        record.name,
        genus,
        rest.partition(" ")[0],
        *((at.year, at.month, at.day, at.hour, at.minute) if at else ("",) * 5),
        *((place.latitude, place.longitude) if place else ("", "")),
        record.deployment,
        record.sequence,
        record.viewpoint,
        f"Resight sighting {record.sighting}, {record.outcome}",
    )


def _files(found: Records, _: ExportRequest) -> Files:
    return Files({"wildbook.csv": wildbook(found)})


FORMAT = ExportFormat("wildbook", "Wildbook", _files)

"""Wildbook's standard format for bulk imports: an encounter a row."""

import csv
import io
from collections.abc import Sequence

from services.registry.exports.record import Record
from services.registry.spreadsheet import safe

_NAMES = """
mediaAsset0 individualID genus specificEpithet year month day hour minutes decimalLatitude
decimalLongitude locationID occurrenceID viewpoint researcherComments
"""
COLUMNS = tuple(f"Encounter.{name}" for name in _NAMES.split())


def wildbook(found: Sequence[Record]) -> bytes:
    """Return the table. Genus and epithet are the first two words of the species."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for each in found:
        genus, _, rest = each.species.replace("_", " ").partition(" ")
        at, place = each.captured_at, each.place
        writer.writerow(
            [
                safe(cell)
                for cell in (
                    each.picture,
                    each.name,
                    genus,
                    rest.partition(" ")[0],
                    *((at.year, at.month, at.day, at.hour, at.minute) if at else ("",) * 5),
                    *((place.latitude, place.longitude) if place else ("", "")),
                    each.deployment,
                    each.sequence,
                    each.viewpoint,
                    f"Resight sighting {each.sighting}, {each.outcome}",
                )
            ]
        )
    return text.getvalue().encode()

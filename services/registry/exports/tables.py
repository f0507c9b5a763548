"""CSV and Parquet: one row per sighting, with the columns that `resight import` reads."""

import tempfile
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from services.registry.exports.format import ExportFormat, ExportRequest, Files
from services.registry.exports.pieces import Pieces, table
from services.registry.exports.record import Record, Records

# Rows per Parquet row group, and bytes per piece.
GROUP, PIECE = 5000, 65_536

SCHEMA = pa.schema(
    [
        ("path", pa.string()),
        ("identity", pa.string()),
        ("individual", pa.string()),
        ("species", pa.string()),
        ("viewpoint", pa.string()),
        ("date", pa.timestamp("ms", tz="UTC")),
        ("deployment", pa.string()),
        ("sequence", pa.string()),
        ("latitude", pa.float64()),
        ("longitude", pa.float64()),
        ("outcome", pa.string()),
        ("probability", pa.float64()),
        ("decided_at", pa.timestamp("ms", tz="UTC")),
        ("decided_by", pa.string()),
        ("sighting", pa.string()),
        ("photograph_sha256", pa.string()),
        ("box_x", pa.float64()),
        ("box_y", pa.float64()),
        ("box_width", pa.float64()),
        ("box_height", pa.float64()),
    ]
)


def csv_table(found: Records) -> Pieces:
    """Yield a table in UTF-8. `path` is the crop's in a bundle; `box_…` refer to the photograph."""

    def cells(record: Record) -> list[Any]:
        row = _row(record)
        for name in ("date", "decided_at"):
            row[name] = row[name].strftime("%Y-%m-%dT%H:%M:%SZ") if row[name] else ""
        return [row[name] for name in SCHEMA.names]

    return table(SCHEMA.names, map(cells, found))


def parquet_table(found: Records) -> Pieces:
    """Yield the same table as a Parquet file, written to disk first."""
    with tempfile.TemporaryFile(prefix="export-") as target:
        with pq.ParquetWriter(target, SCHEMA) as writer:
            rows = map(_row, found)
            while some := list(islice(rows, GROUP)):
                writer.write_table(pa.Table.from_pylist(some, SCHEMA))
        target.seek(0)
        while piece := target.read(PIECE):
            yield piece


def _row(record: Record) -> dict[str, Any]:
    x, y, width, height = (round(each, 6) for each in record.box)
    return {
        "path": record.picture,
        "identity": record.name,
        "individual": record.individual,
        "species": record.species,
        "viewpoint": record.viewpoint,
        "date": record.captured_at,
        "deployment": record.deployment,
        "sequence": record.sequence,
        "latitude": record.place.latitude if record.place else None,
        "longitude": record.place.longitude if record.place else None,
        "outcome": record.outcome,
        "probability": record.probability,
        "decided_at": record.decided_at,
        "decided_by": record.actor,
        "sighting": record.sighting,
        "photograph_sha256": record.image,
        "box_x": x,
        "box_y": y,
        "box_width": width,
        "box_height": height,
    }


def _csv(found: Records, _: ExportRequest) -> Files:
    return Files({"metadata.csv": csv_table(found)})


def _parquet(found: Records, _: ExportRequest) -> Files:
    return Files({"sightings.parquet": parquet_table(found)})


CSV = ExportFormat("csv", "CSV, for spreadsheets", _csv)
PARQUET = ExportFormat("parquet", "Parquet", _parquet)

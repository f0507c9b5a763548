"""All export formats. To add one, write a module with `FORMAT` and register it here."""

from collections.abc import Mapping

from services.registry.exports import camtrap_dp, coco, mark, secr, tables, wildbook
from services.registry.exports.format import ExportFormat, ExportRequest, Files
from services.registry.exports.record import Records

# In the order shown to people.
FORMATS: Mapping[str, ExportFormat] = {
    each.name: each
    for each in (
        tables.CSV,
        tables.PARQUET,
        coco.FORMAT,
        camtrap_dp.FORMAT,
        wildbook.FORMAT,
        mark.FORMAT,
        secr.FORMAT,
    )
}


def files(found: Records, request: ExportRequest) -> Files:
    """Return the files of an export."""
    return FORMATS[request.kind].files(found, request)

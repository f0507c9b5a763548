"""Exports a gallery in the formats of other tools."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import AfterValidator, WithJsonSchema

from services.registry.api.context import Context, CurrentUser, Named
from services.registry.api.problem import documented
from services.registry.exports.bundle import zipped
from services.registry.exports.format import ExportRequest
from services.registry.exports.formats import FORMATS, files
from services.registry.exports.record import records
from services.registry.exports.spool import Spool


def _known(name: str) -> str:
    if name not in FORMATS:
        raise ValueError(f"choose one of {', '.join(FORMATS)}")
    return name


Format = Annotated[
    str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": list(FORMATS)})
]

router = APIRouter(prefix="/api/v1", tags=["exports"], responses=documented(404))


@router.get(
    "/galleries/{population}/{species}/export",
    response_class=Response,
    responses={200: {"content": {"application/zip": {}}, "description": "A ZIP."}},
)
def export(
    request: Request,
    name: Named,
    user: CurrentUser,
    at: Context,
    *,
    kind: Annotated[Format, Query(alias="format")] = "csv",
    pictures: Annotated[bool, Query(description="Include the crops.")] = False,
    days: Annotated[
        int, Query(ge=1, le=366, description="Length of an occasion, for capture histories.")
    ] = 1,
) -> StreamingResponse:
    """Get a gallery as a ZIP. Records that a format cannot hold are listed in its `left_out.csv`.

    Coordinates are masked, except for admins, for cameras that have recorded a protected species.
    """
    request.state.about = f"{name} as {kind}{' with pictures' if pictures else ''}"
    found = Spool(records(at.ledger, name, at.location_masking.cameras(user.knows_places)))
    made = files(found, ExportRequest(kind, name, datetime.now(UTC), days))
    read = at.thumbnails.whole if pictures else None

    def pieces() -> Iterator[bytes]:
        with closing(found):
            yield from zipped(made, found, read)

    stem = f"{name.replace('/', '-')}-{kind}"
    return StreamingResponse(
        pieces(),
        media_type="application/zip",
        headers={"Content-Disposition": disposition(f"{stem}.zip")},
    )


def disposition(name: str) -> str:
    """Return the Content-Disposition header (RFC 6266); species have names in every script."""
    plain = "".join(each if each.isascii() else "_" for each in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"

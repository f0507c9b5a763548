"""Leaving with a gallery: in the formats of other tools."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse

from services.registry.api.desk import Asking, AtDesk, Named
from services.registry.api.problem import documented
from services.registry.exports.bundle import Format, Wanted, files, zipped
from services.registry.exports.record import records

router = APIRouter(prefix="/api/v1", tags=["exports"], responses=documented(404))


@router.get(
    "/galleries/{population}/{species}/export",
    response_class=Response,
    responses={200: {"content": {"application/zip": {}}, "description": "A ZIP."}},
)
def export(
    request: Request,
    name: Named,
    asking: Asking,
    at: AtDesk,
    *,
    kind: Annotated[Format, Query(alias="format")] = "csv",
    pictures: Annotated[bool, Query(description="With the crops.")] = False,
    days: Annotated[int, Query(ge=1, le=366, description="Of an occasion, for histories.")] = 1,
) -> StreamingResponse:
    """Get a gallery as a ZIP. What a format can't hold is told in its `left_out.csv`.

    Coordinates of protected species are coarse, except for admins.
    """
    request.state.about = f"{name} as {kind}{' with pictures' if pictures else ''}"
    exact = asking.may("admin")
    found = records(at.ledger, name, at.discretion, exact=exact)
    cell = 0.0 if exact else at.discretion.cell(name)
    made, left_out = files(found, Wanted(kind, name, datetime.now(UTC), days, cell))
    kept = [each for each in found if each.sighting not in left_out] if pictures else []

    def pieces() -> Iterator[bytes]:
        yield from zipped(made, left_out, kept, at.thumbnails.whole)

    stem = f"{name.replace('/', '-')}-{kind}"
    return StreamingResponse(
        pieces(),
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{stem}.zip"'},
    )

"""A gallery: its individuals as cards, and its discovery curve."""

from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.registry.api.context import Context, CurrentUser, Named
from services.registry.api.json.reading import Order, drift_of, in_order
from services.registry.api.pages.charts import curve, months
from services.registry.api.pages.frame import gallery_path, page
from services.registry.calibration.drift import FIT_AGAIN
from services.registry.exports.formats import FORMATS
from services.registry.ledger.overview import GalleryOverview, Status

router = APIRouter(include_in_schema=False)

CARDS = 48


@router.get("/g/{population}/{species}")
def gallery(
    request: Request,
    name: Named,
    person: CurrentUser,
    at: Context,
    *,
    sort: Order = "-last_seen",
    status: Status | Literal[""] = "",
    deployment: Annotated[str, Query(max_length=300)] = "",
    viewpoint: Annotated[str, Query(max_length=30)] = "",
    q: Annotated[str, Query(max_length=200)] = "",
    offset: Annotated[int, Query(ge=0, le=10**7)] = 0,
) -> Response:
    """Show the individuals of a gallery."""
    with at.catalogue.gallery(name) as shown:
        everybody = shown.individuals()
        found = shown.chosen(status=status, deployment=deployment, viewpoint=viewpoint, contains=q)
        in_order(found, sort)
        cards = [(each, shown.status(each.id)) for each in found[offset : offset + CARDS]]
        choices = _choices(shown)
        moved = drift_of(at, name, shown)
        questions, sightings = len(shown.questions), len(shown.sightings)
    chosen = {
        "sort": sort,
        "status": status,
        "deployment": deployment,
        "viewpoint": viewpoint,
        "q": q,
    }

    def at_offset(first: int) -> str:
        kept = {key: value for key, value in chosen.items() if value}
        return f"{gallery_path(name)}?{urlencode({**kept, 'offset': first})}"

    return page(
        request,
        at,
        person,
        "gallery.html",
        gallery=name,
        cards=cards,
        total=len(found),
        everybody=len(everybody),
        questions=questions,
        sightings=sightings,
        choices=choices,
        chosen=chosen,
        offset=offset,
        before=at_offset(max(0, offset - CARDS)) if offset else "",
        after=at_offset(offset + CARDS) if offset + CARDS < len(found) else "",
        discovery=curve([each.first for each in everybody]),
        captures=months(everybody),
        calibration=at.calibration,
        moved=moved,
        fit_again=FIT_AGAIN,
        curve=at.calibration.curve(name),
        formats=FORMATS.values(),
    )


def _choices(shown: GalleryOverview) -> dict[str, list[str]]:
    seen = shown.sightings.values()
    return {
        "deployments": sorted({each.deployment for each in seen if each.deployment}),
        "viewpoints": sorted({each.viewpoint for each in seen}),
    }

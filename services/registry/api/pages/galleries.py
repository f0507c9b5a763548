"""A gallery: its individuals as cards, and its discovery curve."""

from typing import Annotated, Literal
from urllib.parse import urlencode
from uuid import uuid4

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field

from services.registry.api.context import Context, CurrentUser, Named
from services.registry.api.json.reading import Order, drift_of, in_order
from services.registry.api.json.schemas import OfSeveral
from services.registry.api.json.writing import written
from services.registry.api.pages.charts import curve, months
from services.registry.api.pages.frame import gallery_path, page
from services.registry.api.pages.operations import operation_shown, shown_after
from services.registry.api.problem import refusal
from services.registry.calibration.drift import FIT_AGAIN
from services.registry.exports.formats import FORMATS
from services.registry.identity.question import SERIOUS
from services.registry.ledger import learning
from services.registry.ledger.overview import GalleryOverview, Status
from services.registry.review.likeness import twins

router = APIRouter(include_in_schema=False)

CARDS = 96

_PATH = "/g/{population}/{species}"


class Picked(BaseModel):
    """Form data of a gallery's page. `sightings`: the covers of the selected individuals."""

    kind: Literal["merge", "tell_apart"]
    identifier: str = Field(min_length=1, max_length=100)
    sightings: list[str] = Field(default=[], max_length=CARDS)
    reason: str = Field("", max_length=2000)
    back: str = Field("", max_length=1000)


@router.get(_PATH)
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
    said: Annotated[int, Query(ge=0, le=2**53)] = 0,
) -> Response:
    """Show the individuals of a gallery."""
    with at.catalogue.gallery(name) as shown:
        everybody = shown.individuals()
        found = shown.chosen(status=status, deployment=deployment, viewpoint=viewpoint, contains=q)
        found = in_order(found, sort, shown)
        likely = {
            name: twin
            for name, twin in twins(shown.likeness()).items()
            if twin.probability >= SERIOUS
        }
        cards = [
            (each, shown.status(each.id), likely.get(each.id))
            for each in found[offset : offset + CARDS]
        ]
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
        kept = {key: value for key, value in {**chosen, "offset": first}.items() if value}
        return f"{gallery_path(name)}?{urlencode(kept)}"

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
        here=at_offset(offset),
        identifier=uuid4().hex,
        may=person.may("reviewer"),
        said=operation_shown(at, name, said),
        before=at_offset(max(0, offset - CARDS)) if offset else "",
        after=at_offset(offset + CARDS) if offset + CARDS < len(found) else "",
        discovery=curve([each.first for each in everybody if each.first is not None]),
        captures=months(everybody),
        calibration=at.calibration,
        learned=learning.latest(at.ledger.store),
        moved=moved,
        fit_again=FIT_AGAIN,
        curve=at.calibration.curve(name),
        formats=FORMATS.values(),
    )


@router.post(_PATH)
def pick(
    name: Named, person: CurrentUser, at: Context, picked: Annotated[Picked, Form()]
) -> Response:
    """Merge the selected individuals, or record that all of them differ."""
    if len(picked.sightings) < 2:
        raise refusal(409, "select at least two individuals first")
    saying = OfSeveral(
        kind=picked.kind, id=picked.identifier, sightings=picked.sightings, reason=picked.reason
    )
    entry = written(at, name, person, saying)
    return RedirectResponse(shown_after(name, picked.back, entry), 303)


def _choices(shown: GalleryOverview) -> dict[str, list[str]]:
    seen = shown.sightings.values()
    return {
        "deployments": sorted({each.deployment for each in seen if each.deployment}),
        "viewpoints": sorted({each.viewpoint for each in seen}),
    }

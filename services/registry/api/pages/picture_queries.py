"""Identify a picture without enrolling it."""

from typing import Annotated

from fastapi import APIRouter, File, Query, Request, UploadFile
from fastapi.responses import Response

from services.registry.api.context import Context, CurrentUser, Named
from services.registry.api.json.picture_queries import who
from services.registry.api.pages.frame import page
from services.registry.api.pictures.inlined import inlined
from shared.errors import Transient

router = APIRouter(include_in_schema=False)


@router.get("/g/{population}/{species}/who")
def form(request: Request, name: Named, person: CurrentUser, at: Context) -> Response:
    """Show the form."""
    return page(request, at, person, "who.html", gallery=name, found=None, liked=[], wrong="")


@router.post("/g/{population}/{species}/who")
def shown(
    request: Request,
    name: Named,
    person: CurrentUser,
    at: Context,
    picture: Annotated[UploadFile, File()],
    *,
    viewpoint: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """Show the result."""
    image = picture.file.read()
    try:
        found = who(at, name, image, viewpoint)
    except Transient as error:
        wrong = str(error)
        return page(
            request, at, person, "who.html", gallery=name, found=None, liked=[], wrong=wrong
        )
    with at.catalogue.gallery(name) as shown:
        liked = [(each, shown.sightings.get(each.sighting)) for each in found.ranked]
    return page(
        request,
        at,
        person,
        "who.html",
        gallery=name,
        found=found,
        liked=liked,
        wrong="",
        asked=inlined(image),
    )

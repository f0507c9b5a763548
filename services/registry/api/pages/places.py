"""Location masking by species."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from services.registry.api.context import Context, CurrentUser
from services.registry.api.json.places import Coarseness, Likeness, NewWord, places, set_rule
from services.registry.api.pages.frame import page
from services.registry.api.problem import refusal
from shared.identifiers import slug

router = APIRouter(include_in_schema=False)


@router.get("/places")
def shown(request: Request, person: CurrentUser, at: Context) -> Response:
    """Show the masking of each species."""
    return page(
        request,
        at,
        person,
        "places.html",
        species=places(at),
        unlisted=at.location_masking.unlisted,
    )


@router.post("/places")
def change(
    request: Request,
    person: CurrentUser,
    at: Context,
    *,
    species: Annotated[str, Form(min_length=1, max_length=200)],
    kilometres: Annotated[str, Form(max_length=20)] = "",
    like: Annotated[str, Form(max_length=200)] = "",
    back: Annotated[bool, Form()] = False,
) -> Response:
    """Set or remove the masking of a species."""
    if back:
        at.location_masking.said.take_back(species)
        request.state.about = f"{slug(species)}: taken back"
        return RedirectResponse("/places", 303)
    if bool(kilometres) == bool(like):
        raise refusal(422, "enter kilometres (0: exact) or another species")
    word: NewWord
    try:
        word = Likeness(like=like) if like else Coarseness(kilometres=float(kilometres))
    except ValueError as error:
        raise refusal(
            422, f"{kilometres!r} is not a number of kilometres from 0 to 1000"
        ) from error
    set_rule(request, at, person, species, word)
    return RedirectResponse("/places", 303)

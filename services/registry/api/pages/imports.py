"""Upload a catalogue, review what was found in it, and follow its import."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse, Response

from catalogue.reading.listing import ForeignError, LeftOut
from services.registry.api.access.keys import Person
from services.registry.api.context import ApiContext, Context, CurrentUser
from services.registry.api.json.imports import TheImport, decide_import, may_see, receive_upload
from services.registry.api.pages.frame import page

router = APIRouter(include_in_schema=False)

# Number of skipped rows shown; the CSV has all.
SHOWN = 20


@router.get("/imports")
def shown(request: Request, person: CurrentUser, at: Context) -> Response:
    """Show the form, and earlier imports."""
    return _page(request, person, at)


@router.post("/imports")
async def brought(request: Request, person: CurrentUser, at: Context) -> Response:
    """Upload a catalogue and show its contents."""
    try:
        begun = await receive_upload(request, person, at)
    except ForeignError as error:
        return await run_in_threadpool(_page, request, person, at, str(error))
    return RedirectResponse(f"/imports/{begun.id}", 303)


@router.get("/imports/{identifier}")
def progress(request: Request, found: TheImport, person: CurrentUser, at: Context) -> Response:
    """Show an import's contents or progress."""
    left: list[LeftOut] = at.imports.left_out(found.id) if found.left_out else []
    return page(request, at, person, "import.html", found=found, left=left[:SHOWN])


@router.post("/imports/{identifier}")
def decide(
    request: Request, found: TheImport, at: Context, *, agreed: Annotated[bool, Form()] = False
) -> RedirectResponse:
    """Approve or cancel an import."""
    request.state.about += ": enrol it" if agreed else ": cancel"
    decide_import(at, found, agreed=agreed)
    return RedirectResponse(f"/imports/{found.id}", 303)


def _page(request: Request, person: Person, at: ApiContext, wrong: str = "") -> Response:
    found = [each for each in at.imports.latest() if may_see(each, person)]
    return page(
        request,
        at,
        person,
        "imports.html",
        imports=found,
        wrong=wrong,
        most=at.settings.max_catalogue_bytes,
    )

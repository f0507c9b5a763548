"""The page of recent sightings."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.registry.api.context import Context, CurrentUser
from services.registry.api.pages.frame import page

router = APIRouter(include_in_schema=False)


@router.get("/live")
def live(request: Request, person: CurrentUser, at: Context) -> Response:
    """Show the page that receives the event stream."""
    return page(request, at, person, "live.html")

"""The audit log."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.registry.api.context import Context, CurrentUser
from services.registry.api.pages.frame import page

router = APIRouter(include_in_schema=False)


@router.get("/audit")
def shown(request: Request, person: CurrentUser, at: Context, *, refused: bool = False) -> Response:
    """Show the audit log."""
    found = at.audit.latest(refused=refused)
    return page(request, at, person, "audit.html", acts=found, refused=refused)

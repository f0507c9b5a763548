"""The application: routes, error handlers and middleware."""

import logging
from http import HTTPStatus
from urllib.parse import quote

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException as StarletteException
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from services.registry.api import json, pages
from services.registry.api.context import ApiContext
from services.registry.api.guard import Guard
from services.registry.api.pages.frame import STATIC, page
from services.registry.api.problem import problem, told, wants_page
from shared.errors import Transient

DESCRIPTION = """Individuals, sightings, open questions and reviews of the catalogue.

Errors are problems of RFC 9457. Lists are paged: repeat the request with `offset` (or `after`) \
from `next` until it is null."""

ROUTERS = (*json.ROUTERS, *pages.ROUTERS)

log = logging.getLogger(__name__)


def application(context: ApiContext) -> FastAPI:
    """Return the application."""
    app = FastAPI(
        redirect_slashes=False,  # its redirects would use the Host header, which clients control
        title="Resight",
        version="1",
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    app.state.context = context
    for router in ROUTERS:
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC))
    app.add_middleware(Guard, context=context, refuse=_answer)
    app.exception_handler(StarletteException)(_refused)
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(Transient)(_away)
    app.exception_handler(Exception)(_crashed)
    return app


def _answer(
    request: Request, status: int, detail: str, headers: dict[str, str] | None = None
) -> Response:
    """Return an error as a page for browsers, and as a problem for programs."""
    if status == 401:
        headers = {**(headers or {}), "WWW-Authenticate": "Bearer"}
    if not wants_page(request):
        return problem(status, detail, headers)
    if status == 401:
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/sign-in?to={quote(asked)}", 303)
    # The page's frame lists galleries, which needs a responding ledger.
    person = None if status == 503 else request.state.person
    title = HTTPStatus(status).phrase
    shown = page(
        request,
        request.app.state.context,
        person,
        "problem.html",
        code=status,
        title=title,
        detail=detail,
    )
    shown.headers.update(headers or {})
    return shown


def _refused(request: Request, error: HTTPException) -> Response:
    return _answer(request, error.status_code, str(error.detail), dict(error.headers or {}))


def _invalid(request: Request, error: RequestValidationError) -> Response:
    return _answer(request, 422, told(error))


def _away(request: Request, error: Transient) -> Response:
    return _answer(request, 503, f"{error}; try again", {"Retry-After": "2"})


def _crashed(request: Request, error: Exception) -> Response:
    log.error("a request failed", exc_info=error)
    return _answer(request, 500, "Internal error; see the server log")

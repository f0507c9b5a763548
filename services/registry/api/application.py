"""The application: routes, errors, and what stands before them."""

import logging

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteException
from starlette.responses import Response

from services.registry.api import reading_routes, writing_routes
from services.registry.api.desk import Desk
from services.registry.api.guard import Guard
from services.registry.api.problem import problem, told
from shared.errors import Transient

DESCRIPTION = """Have we seen this animal before? The catalogue of individuals, what is in doubt, \
and what people say about it.

Every answer other than a 2xx is a problem of RFC 9457. Lists come in pages: ask again with \
`offset` (or `after`) from `next`, until that is null."""

log = logging.getLogger(__name__)


def application(desk: Desk) -> FastAPI:
    """Return the application on a desk's parts."""
    app = FastAPI(
        title="Resight",
        version="1",
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    app.state.desk = desk
    app.include_router(reading_routes.router)
    app.include_router(writing_routes.router)
    app.add_middleware(Guard, settings=desk.settings)
    app.exception_handler(StarletteException)(_refused)
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(Transient)(_away)
    app.exception_handler(Exception)(_crashed)
    return app


def _refused(_: Request, error: HTTPException) -> Response:
    headers = dict(error.headers or {})
    if error.status_code == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return problem(error.status_code, str(error.detail), headers)


def _invalid(_: Request, error: RequestValidationError) -> Response:
    return problem(422, told(error))


def _away(_: Request, error: Transient) -> Response:
    return problem(503, f"{error}; try again", {"Retry-After": "2"})


def _crashed(_: Request, error: Exception) -> JSONResponse:
    log.error("a request failed", exc_info=error)
    return problem(500, "this is a fault of ours; the log says more")

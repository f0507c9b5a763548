"""One format for all errors: RFC 9457, `application/problem+json`."""

from http import HTTPStatus
from typing import Any

from fastapi import HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """Why a request failed, and what to do."""

    type: str = Field("about:blank", description="URL of the kind of error, if it has a page.")
    title: str = Field(description="The status in words.", examples=["Not Found"])
    status: int = Field(description="The HTTP status.", examples=[404])
    detail: str = Field(description="What is wrong, and how to fix it.")


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """Return an error as a response."""
    body = Problem(
        type="about:blank", title=HTTPStatus(status).phrase, status=status, detail=detail
    )
    return JSONResponse(body.model_dump(), status, headers, MEDIA_TYPE)


def refusal(status: int, detail: str) -> HTTPException:
    """Return an error as an exception, to be raised in a handler."""
    return HTTPException(status, detail)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return OpenAPI's description of the common errors, and of these."""
    every = (400, 401, 403, 413, 422, 429, 500, 503)
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}},
        }
        for status in sorted({*every, *statuses})
    }


def told(error: RequestValidationError) -> str:
    """Return validation errors, in one sentence per field."""
    return "; ".join(
        f"{'.'.join(str(part) for part in each['loc'][1:]) or 'the request'}: {each['msg']}"
        for each in error.errors()
    )


def wants_page(request: Request) -> bool:
    """Return whether the client wants a page instead of data."""
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get(
        "accept", ""
    )

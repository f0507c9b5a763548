"""Sign-in with a key, and sign-out."""

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Query, Request
from fastapi.responses import RedirectResponse, Response

from services.registry.api.context import COOKIE, Context
from services.registry.api.pages.frame import page

router = APIRouter(include_in_schema=False)


@router.get("/sign-in")
def form(
    request: Request, at: Context, to: Annotated[str, Query(max_length=500)] = "/"
) -> Response:
    """Show the sign-in form."""
    return page(request, at, None, "sign_in.html", to=_local(to), wrong="")


@router.post("/sign-in")
def sign_in(
    request: Request,
    at: Context,
    key: Annotated[str, Form(max_length=200)] = "",
    to: Annotated[str, Form(max_length=500)] = "/",
) -> Response:
    """Start a session, if the key is valid."""
    found = at.access.holder(key)
    if found is None:
        try:
            at.refuse_key(request, key)
        except HTTPException as many:
            told = (
                "Too many wrong keys came from your address. Wait 15 minutes, or send the right "
                "one."
            )
            return page(
                request, at, None, "sign_in.html", code=many.status_code, to=_local(to), wrong=told
            )
        told = "This is not a valid key. An admin can make one with “resight keys add”."
        return page(request, at, None, "sign_in.html", code=401, to=_local(to), wrong=told)
    request.state.person = found.person
    seconds = 3600 * at.settings.session_hours
    answer = RedirectResponse(_local(to), 303)
    answer.set_cookie(
        COOKIE,
        at.access.sign_in(found, seconds),
        max_age=round(seconds),
        httponly=True,
        samesite="strict",
        secure=at.settings.behind_tls or request.url.scheme == "https",
    )
    return answer


@router.post("/sign-out")
def sign_out(request: Request, at: Context) -> Response:
    """End the session."""
    request.state.person = at.who(request).person
    at.access.sign_out(request.cookies.get(COOKIE, ""))
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(COOKIE)
    return answer


def _local(path: str) -> str:
    """Return a path of this site; anything else becomes the home page."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if plain and path.isprintable() else "/"

"""Guards every request: authentication, rights, limits; and sets headers of every response.

A body is read only after its sender is known to have the right to send it.
"""

import logging
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from fastapi import HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.registry.api.access.rights import Body, RequestedRight, Rights
from services.registry.api.context import ANONYMOUS, ApiContext, Caller, address
from services.registry.api.limits.bounds import NotReadError, Rates, bounded, hurried
from services.registry.api.limits.turns import Turns
from services.registry.api.metrics import REQUESTS, SECONDS, kind_of
from services.registry.api.problem import refusal
from services.registry.api.settings import ApiSettings
from shared.errors import Transient

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
# Time limit for receiving a body.
BODY_SECONDS: Mapping[Body, float] = {"small": 20.0, "picture": 120.0, "catalogue": 3600.0}

# An error as a response: scope, status, reason, headers.
Refusing = Callable[[Request, int, str, dict[str, str]], Response]

log = logging.getLogger(__name__)


class Guard:
    """ASGI middleware; `refuse` makes its errors responses."""

    def __init__(
        self,
        inner: ASGIApp,
        context: ApiContext,
        refuse: Refusing,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inner = inner
        self._context = context
        self._refuse = refuse
        self._clock = clock
        self._rights = Rights()
        self._turns = Turns()
        self._rates = Rates(context.settings.requests_per_minute, clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request, or refuse it."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        request, answer = Request(scope), Answer(send, kind_of(scope["path"]), self._clock)
        request.state.person = None
        requested = self._rights.requested(request.method, scope["path"])
        try:
            requested = await self._admit(request, requested)
        except (HTTPException, Transient) as error:
            response = await run_in_threadpool(self._refused, request, error)
            await response(scope, receive, answer)
        else:
            await self._answered(request, requested, receive, answer)
        if requested and requested.right.act:
            await run_in_threadpool(self._note, request, requested, answer.status)

    async def _answered(
        self, request: Request, requested: RequestedRight, receive: Receive, answer: "Answer"
    ) -> None:
        """Handle an admitted request, when its turn comes."""
        body = requested.right.body
        most = most_bytes(self._context.settings, body)
        try:
            with self._turns.of(requested.right.turn, _caller(request)):
                bounded_body = bounded(receive, most, BODY_SECONDS[body])
                await self._inner(request.scope, bounded_body, answer)
        except NotReadError:
            log.info("the client does not read the response to %s", request.scope["path"])
        except HTTPException as error:
            response = await run_in_threadpool(self._refused, request, error)
            await response(request.scope, receive, answer)

    async def _admit(self, request: Request, requested: RequestedRight | None) -> RequestedRight:
        """Admit a request and return its right and parameters.

        Raises:
            HTTPException: it is refused.
            Transient: the ledger does not respond.
        """
        most = most_bytes(self._context.settings, requested.right.body if requested else "small")
        length = request.headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()):
            raise refusal(400, f"the content length {length!r} is not a number")
        if int(length) > most:
            raise refusal(413, f"the body has {length} bytes; the limit is {most}")
        needless = requested is not None and requested.right.role is None
        caller = ANONYMOUS if needless else await run_in_threadpool(self._context.who, request)
        request.state.person = caller.person
        self._check_rate(request)
        self._check_origin(request, caller)
        if requested is None:
            raise self._nothing(request)
        if refused := requested.right.refusal(caller.person, requested.parts):
            raise refusal(*refused)
        return requested

    def _check_rate(self, request: Request) -> None:
        """Count a request against its key's rate limit, or its address's without one."""
        if wait := self._rates.wait(_caller(request)):
            told = f"more than {self._context.settings.requests_per_minute} requests in a minute"
            raise HTTPException(429, f"{told}; wait {wait} s", {"Retry-After": str(wait)})

    def _check_origin(self, request: Request, caller: Caller) -> None:
        """Refuse cross-site requests: browsers add the cookie to them, but never the key."""
        if request.method not in SAFE and not caller.by_key and _foreign(request.headers):
            raise refusal(403, "the request comes from another site's page")

    def _nothing(self, request: Request) -> HTTPException:
        if allowed := self._rights.allowed(request.scope["path"]):
            told = f"use {' or '.join(allowed)}, not {request.method}"
            return HTTPException(405, told, {"Allow": ", ".join(allowed)})
        return refusal(404, "nothing found at this address")

    def _refused(self, request: Request, error: HTTPException | Transient) -> Response:
        if isinstance(error, Transient):
            response = self._refuse(request, 503, f"{error}; try again", {"Retry-After": "2"})
        else:
            headers = dict(error.headers or {})
            response = self._refuse(request, error.status_code, str(error.detail), headers)
        if request.method not in SAFE:
            response.headers["Connection"] = "close"  # the rest of the body is not read
        return response

    def _note(self, request: Request, requested: RequestedRight, status: int) -> None:
        person = request.state.person
        told = getattr(request.state, "about", "") or " ".join(requested.parts.values())
        self._context.audit.note(
            requested.right.act,
            person.name if person else "",
            key=person.key if person else "",
            address=address(request),
            about=told,
            status=status,
            refused=status >= 400,
        )


class Answer:
    """A `send` that adds headers, counts the response, and has a time limit."""

    def __init__(self, send: Send, kind: str, clock: Callable[[], float]) -> None:
        self._send = hurried(send)
        self._kind = kind
        self._clock = clock
        self._begun = clock()
        self.status = 0

    async def __call__(self, message: Message) -> None:
        """Send a part of the response."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            REQUESTS.labels(self._kind, f"{self.status // 100}xx").inc()
            SECONDS.labels(self._kind).observe(self._clock() - self._begun)
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-store")
        await self._send(message)


def most_bytes(settings: ApiSettings, body: Body) -> int:
    """Return the maximum size of a request's body."""
    sizes = {
        "small": settings.max_body_bytes,
        "picture": settings.max_picture_bytes,
        "catalogue": settings.max_catalogue_bytes,
    }
    return sizes[body]


def _caller(request: Request) -> str:
    """Return whose rate limit applies: a key's, or an address's without one."""
    person = request.state.person
    return f"key {person.key}" if person and person.key else address(request)


def _foreign(headers: Headers) -> bool:
    """Return whether the browser says that another site's page made the request."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")

"""What every request passes first: size, rate and origin; and what every answer carries."""

import time
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.registry.api.metrics import REQUESTS, SECONDS, kind_of
from services.registry.api.problem import problem, refusal
from services.registry.api.settings import ApiSettings

# Where catalogues come in; who sends one is asked before it is read.
LARGE = frozenset({"/imports", "/api/v1/imports"})
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
# So many callers are remembered; more of them at once are not held apart.
MOST_CALLERS = 10_000


class Guard:
    """An ASGI application around another one."""

    def __init__(
        self,
        inner: ASGIApp,
        settings: ApiSettings,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inner = inner
        self._settings = settings
        self._clock = clock
        self._rates = Rates(settings.requests_per_minute, clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        headers = Headers(scope=scope)
        answer = _with_headers(send, kind_of(scope["path"]), self._clock)
        if refused := self._refused(scope, headers):
            status, detail, more = refused
            await problem(status, detail, more)(scope, receive, answer)
            return
        await self._inner(scope, _bounded(receive, self._most(scope)), answer)

    def _refused(self, scope: Scope, headers: Headers) -> tuple[int, str, dict[str, str]] | None:
        most = self._most(scope)
        length = headers.get("content-length", "0")
        if not length.isdigit():
            return 400, f"the length {length!r} of the body is no number", {}
        if int(length) > most:
            return 413, f"the body has {length} bytes, and {most} are taken at most", {}
        address = scope["client"][0] if scope.get("client") else ""
        wait = self._rates.wait(address)
        if wait:
            told = f"more than {self._settings.requests_per_minute} requests came in a minute"
            return 429, f"{told}; wait {wait} s", {"Retry-After": str(wait)}
        if scope["method"] not in SAFE and "authorization" not in headers and _foreign(headers):
            return 403, "the request comes from another site's page", {}
        return None

    def _most(self, scope: Scope) -> int:
        """Return how large a request's body may be."""
        if scope["path"] in LARGE:
            return self._settings.max_catalogue_bytes
        return self._settings.max_body_bytes


class Rates:
    """A bucket of tokens for each caller, filled evenly through the minute."""

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self._most = per_minute
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait(self, caller: str) -> int:
        """Take a token; return the seconds until there is one, 0 if there was."""
        now = self._clock()
        if len(self._buckets) > MOST_CALLERS:
            self._buckets.clear()
        left, at = self._buckets.get(caller, (float(self._most), now))
        left = min(self._most, left + (now - at) * self._most / 60)
        if left < 1:
            return max(1, round((1 - left) * 60 / self._most))
        self._buckets[caller] = (left - 1, now)
        return 0


def _bounded(receive: Receive, most: int) -> Receive:
    """Return a `receive` that ends a body without a length when it grows too large."""
    seen = 0

    async def bounded() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise refusal(413, f"the body is larger than the {most} bytes that are taken")
        return message

    return bounded


def _with_headers(send: Send, kind: str, clock: Callable[[], float]) -> Send:
    """Return a `send` that adds what every answer carries, and counts it."""
    begun = clock()

    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            REQUESTS.labels(kind, f"{message['status'] // 100}xx").inc()
            SECONDS.labels(kind).observe(clock() - begun)
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return answer


def _foreign(headers: Headers) -> bool:
    """Return whether a browser says that another site's page made the request."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")

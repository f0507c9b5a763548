"""Limits on the size and speed of requests, and on the speed of reading responses."""

import asyncio
from collections.abc import Callable

from starlette.types import Message, Receive, Send

from services.registry.api.problem import refusal

# Clients that read nothing for this long are disconnected.
READING_SECONDS = 60.0
# Number of clients tracked; beyond it they share limits.
MOST_CALLERS = 10_000


class NotReadError(Exception):
    """The client does not read the response."""


class Rates:
    """A token bucket per client, refilled evenly through the minute."""

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self._most = per_minute
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait(self, caller: str) -> int:
        """Take a token; return the seconds until one is available, 0 if taken."""
        now = self._clock()
        if len(self._buckets) > MOST_CALLERS:
            self._buckets.clear()
        left, at = self._buckets.get(caller, (float(self._most), now))
        left = min(self._most, left + (now - at) * self._most / 60)
        if left < 1:
            return max(1, round((1 - left) * 60 / self._most))
        self._buckets[caller] = (left - 1, now)
        return 0


def bounded(receive: Receive, most: int, seconds: float) -> Receive:
    """Return a `receive` that ends a body that is too large or too slow.

    After the body there is no time limit for the disconnect.
    """
    seen, over, end = 0, False, None

    async def bounded_receive() -> Message:
        nonlocal seen, over, end
        if over:
            return await receive()
        end = end or asyncio.get_running_loop().time() + seconds
        try:
            async with asyncio.timeout_at(end):
                message = await receive()
        except TimeoutError:
            raise refusal(408, f"the body did not arrive within {seconds:.0f} s") from None
        seen += len(message.get("body", b""))
        if seen > most:
            raise refusal(413, f"the body exceeds the limit of {most} bytes")
        over = not message.get("more_body", False)
        return message

    return bounded_receive


def hurried(send: Send, seconds: float = READING_SECONDS) -> Send:
    """Return a `send` that waits at most this long for each piece to be read.

    Raises:
        NotReadError: it waited longer.
    """

    async def hurried_send(message: Message) -> None:
        try:
            async with asyncio.timeout(seconds):
                await send(message)
        except TimeoutError:
            raise NotReadError from None

    return hurried_send

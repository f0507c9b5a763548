"""How much of a request is taken, how fast it must come, and how fast its answer must be read."""

import asyncio
from collections.abc import Callable

from starlette.types import Message, Receive, Send

from services.registry.api.problem import refusal

# Whoever takes nothing of an answer for so long is hung up on.
READING_SECONDS = 60.0
# So many callers are remembered; more of them at once are not held apart.
MOST_CALLERS = 10_000


class NotReadError(Exception):
    """The answer is not taken."""


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


def bounded(receive: Receive, most: int, seconds: float) -> Receive:
    """Return a `receive` that ends a body that grows too large or takes too long.

    What comes after the body, that the client is gone, may take any time.
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
            raise refusal(408, f"the body did not come within {seconds:.0f} s") from None
        seen += len(message.get("body", b""))
        if seen > most:
            raise refusal(413, f"the body is larger than the {most} bytes that are taken")
        over = not message.get("more_body", False)
        return message

    return bounded_receive


def hurried(send: Send, seconds: float = READING_SECONDS) -> Send:
    """Return a `send` that waits for a slow reader no longer than so for each piece.

    Raises:
        NotReadError: it did.
    """

    async def hurried_send(message: Message) -> None:
        try:
            async with asyncio.timeout(seconds):
                await send(message)
        except TimeoutError:
            raise NotReadError from None

    return hurried_send

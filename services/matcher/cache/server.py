"""An optional Redis-protocol server."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

import redis

from services.matcher.metrics import CACHE_FAILURES, CACHE_LEFT_ALONE

log = logging.getLogger(__name__)

T = TypeVar("T")


class CacheServer:
    """Queries a server that may be down; after a failure it is left alone for `retry_seconds`."""

    def __init__(
        self,
        client: redis.Redis,
        retry_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._retry_seconds = retry_seconds
        self._clock = clock
        self._silent_until = float("-inf")

    def ask(self, question: Callable[[redis.Redis], T]) -> T | None:
        """Return the server's response, or None."""
        if self._clock() < self._silent_until:
            return None
        try:
            answer = question(self._client)
        except redis.RedisError as error:
            CACHE_FAILURES.labels("down").inc()
            CACHE_LEFT_ALONE.set(1)
            self._silent_until = self._clock() + self._retry_seconds
            log.warning(
                "the cache server does not respond; continuing without it for %g s: %s",
                self._retry_seconds,
                error,
            )
            return None
        CACHE_LEFT_ALONE.set(0)
        return answer

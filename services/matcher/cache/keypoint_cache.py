"""The keypoint cache: a Redis-protocol server, and part of it in this process.

It is optional: when the server does not respond, keypoints are recomputed more slowly, and a metric
    counts it. Cached content is validated. Keys have no expiry; the server evicts the least
    recently used.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from services.matcher.cache.server import CacheServer
from services.matcher.metrics import CACHE_FAILURES, KEYPOINTS
from shared.embeddings import model_name
from shared.keypoints import keypoints as codec
from shared.keypoints.keypoints import Keypoints
from shared.messages import ModelReference

log = logging.getLogger(__name__)


def connect(
    url: str, timeout_seconds: float, options: Mapping[str, Any] | None = None
) -> redis.Redis:
    """Return a client with short timeouts; it connects when first used."""
    return redis.Redis.from_url(
        url,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        retry=Retry(NoBackoff(), retries=1),
        **(options or {}),
    )


class KeypointCache:
    """Keypoints by the SHA-256 of their crop, for one model.

    `model` and `descriptor_length` are the extractor's; content of another length is rejected.
    `retry_seconds`: pause after a failure of the server.
    """

    def __init__(
        self,
        client: redis.Redis,
        model: ModelReference,
        descriptor_length: int,
        *,
        local_entries: int,
        retry_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server = CacheServer(client, retry_seconds, clock)
        self._prefix = f"resight:keypoints:{codec.FORMAT}:{model_name(model)}:"
        self._descriptor_length = descriptor_length
        self._local: OrderedDict[str, Keypoints] = OrderedDict()
        self._local_entries = local_entries

    def key(self, digest: str) -> str:
        """Return the server's key for the crop with this SHA-256."""
        return self._prefix + digest

    def get(self, digests: Sequence[str]) -> dict[str, Keypoints]:
        """Return what is cached of these crops, in at most one round trip."""
        found: dict[str, Keypoints] = {}
        for digest in digests:
            if digest in self._local:
                self._local.move_to_end(digest)
                found[digest] = self._local[digest]
        KEYPOINTS.labels("local").inc(len(found))
        remote = self._fetch([digest for digest in digests if digest not in found])
        KEYPOINTS.labels("cache").inc(len(remote))
        for digest, keypoints in remote.items():
            self._remember(digest, keypoints)
        return found | remote

    def put(self, digest: str, keypoints: Keypoints) -> None:
        """Cache a crop's keypoints in this process and on the server."""
        self._remember(digest, keypoints)
        self._server.ask(lambda client: client.set(self.key(digest), codec.encode(keypoints)))

    def _fetch(self, digests: Sequence[str]) -> dict[str, Keypoints]:
        if not digests:
            return {}
        keys = [self.key(digest) for digest in digests]
        answers = self._server.ask(lambda client: cast("list[bytes | None]", client.mget(keys)))
        if answers is None:
            return {}
        found = {}
        for digest, content in zip(digests, answers, strict=True):
            keypoints = None if content is None else self._trusted(digest, content)
            if keypoints is not None:
                found[digest] = keypoints
        return found

    def _trusted(self, digest: str, content: bytes) -> Keypoints | None:
        try:
            keypoints = codec.decode(content)
        except codec.UnreadableKeypointsError as error:
            reason = str(error)
        else:
            length = keypoints.descriptors.shape[1]
            if length == self._descriptor_length:
                return keypoints
            reason = f"descriptors of {length} values instead of {self._descriptor_length}"
        CACHE_FAILURES.labels("unreadable").inc()
        log.warning("the cache's %s is invalid, recomputing: %s", self.key(digest), reason)
        return None

    def _remember(self, digest: str, keypoints: Keypoints) -> None:
        self._local[digest] = keypoints
        self._local.move_to_end(digest)
        while len(self._local) > self._local_entries:
            self._local.popitem(last=False)

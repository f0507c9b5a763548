"""Learns each deployment's background from its own captures."""

import logging
from collections.abc import Sequence
from typing import cast

import numpy as np
import redis
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from services.matcher.background.background import FINGERPRINT, Frame, animal
from services.matcher.cache.crop_keypoints import KeypointStore
from services.matcher.cache.server import CacheServer
from services.matcher.metrics import BACKGROUND, CACHE_FAILURES
from shared.embeddings import model_name
from shared.keypoints.keypoints import Keypoints
from shared.messages import Box, ModelReference, Sighting

log = logging.getLogger(__name__)

# Sightings remembered per deployment; a moved camera's old view is forgotten after this many.
RECENT = 64


def kept_as(model: ModelReference) -> ModelReference:
    """Return the cache name of a model's keypoints with background marks.

    The evidence of the network is the same with and without them, so the model keeps its name and
    its calibration.
    """
    return ModelReference(
        name=model.name,
        version=model.version,
        preprocessing=f"{model.preprocessing}-{FINGERPRINT}",
    )


class BackgroundMemory:
    """Marks the query's keypoints that its camera also sees without the animal.

    The cache server keeps the recent sightings of a deployment, about 200 bytes each; their
    keypoints are in `keypoints`. So replicas learn together, and evicted entries are learnt again.

    Marks are stored with the keypoints: replays and later passes reuse them and give the same
    evidence. After an eviction they may differ, because the memory has grown.
    """

    def __init__(
        self, server: CacheServer, keypoints: KeypointStore, model: ModelReference
    ) -> None:
        self._server = server
        self._keypoints = keypoints
        self._prefix = f"resight:background:1:{model_name(model)}:"

    def key(self, deployment: str) -> str:
        """Return the server's key for the sightings of a deployment."""
        return self._prefix + deployment

    def marked(self, query: Sighting, found: Keypoints) -> Keypoints:
        """Return the query's keypoints with their marks, and remember its sighting.

        Without server, deployment or box they are returned unchanged.
        """
        if found.animal is not None or not query.deployment or not query.HasField("box"):
            return found
        recent = self._recent(query.deployment)
        if recent is None:
            return found
        before = [past for past in recent if past.sighting_id != query.sighting_id]
        known = self._keypoints.get(list(dict.fromkeys(past.crop.sha256 for past in before)))
        memory = [
            _frame(past, known[past.crop.sha256]) for past in before if past.crop.sha256 in known
        ]
        marked = found.marked(animal(_frame(query, found), memory))
        BACKGROUND.inc(len(marked) - len(marked.foreground()))
        self._keypoints.put(query.crop.sha256, marked)
        if len(before) == len(recent):
            self._remember(query)
        return marked

    def _recent(self, deployment: str) -> list[Sighting] | None:
        key = self.key(deployment)
        entries = self._server.ask(
            lambda client: cast("list[bytes]", client.lrange(key, 0, RECENT - 1))
        )
        if entries is None:
            return None
        try:
            return [Sighting.FromString(entry) for entry in entries]
        except DecodeError as error:
            CACHE_FAILURES.labels("unreadable").inc()
            log.warning("the cache's %s is invalid, learning again: %s", key, error)
            self._server.ask(lambda client: client.delete(key))
            return []

    def _remember(self, query: Sighting) -> None:
        entry = Sighting(
            sighting_id=query.sighting_id,
            sequence=query.sequence,
            captured_at=query.captured_at if query.HasField("captured_at") else None,
            box=query.box,
            crop=query.crop,
        ).SerializeToString()
        key = self.key(query.deployment)

        def push(client: redis.Redis) -> Sequence[object]:
            with client.pipeline() as pipeline:
                pipeline.lpush(key, entry)
                pipeline.ltrim(key, 0, RECENT - 1)
                return list(pipeline.execute())

        self._server.ask(push)


def _frame(sighting: Sighting, found: Keypoints) -> Frame:
    taken = sighting.captured_at.ToSeconds() if sighting.HasField("captured_at") else None
    return Frame(_in_picture(found, sighting.box), found.unit(), sighting.sequence, taken)


def _in_picture(found: Keypoints, box: Box) -> NDArray[np.float32]:
    """Return the positions of a crop's keypoints in the whole picture, as fractions."""
    corner, extent = np.array([box.x, box.y]), np.array([box.width, box.height])
    return np.asarray(corner + found.in_crop() * extent, dtype=np.float32)

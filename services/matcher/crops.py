"""Keypoints of stored crops: out of the cache, else computed from crop and mask."""

import logging
from collections.abc import Sequence
from typing import Protocol

from services.matcher.extractor import KeypointExtractor
from services.matcher.keypoints import Keypoints
from services.matcher.metrics import EXTRACTION, KEYPOINTS
from shared import images
from shared.blobs import BlobStore
from shared.errors import Poison
from shared.foreground import stored_mask
from shared.foreground.animal import Animal
from shared.messages import Candidate, Mask, Sighting

log = logging.getLogger(__name__)


class KeypointStore(Protocol):
    """Where keypoints are kept by the SHA-256 of their crop, for one model.

    In service a cache with a server behind it, for work on files a folder.
    """

    def get(self, digests: Sequence[str]) -> dict[str, Keypoints]:
        """Return what is kept of these crops."""
        ...

    def put(self, digest: str, keypoints: Keypoints) -> None:
        """Keep a crop's keypoints."""
        ...


class CropKeypoints:
    """Looks crops up by their SHA-256; `max_bytes` bounds what is read from the store."""

    def __init__(
        self,
        store: BlobStore,
        extractor: KeypointExtractor,
        cache: KeypointStore,
        max_bytes: int,
    ) -> None:
        self._store = store
        self._extractor = extractor
        self._cache = cache
        self._max_bytes = max_bytes

    def find(self, sightings: Sequence[Sighting | Candidate]) -> list[Keypoints | Poison]:
        """Return the keypoints of each one's crop, or why it has none.

        A crop that is missing or can't be decoded spoils only itself. A mask that the
        extractor's own finder has not made, or that can't be read, is made anew.

        Raises:
            Transient: the store does not answer. What was computed is cached.
        """
        known = self._cache.get(list(dict.fromkeys(each.crop.sha256 for each in sightings)))
        found: list[Keypoints | Poison] = []
        for sighting in sightings:
            digest = sighting.crop.sha256
            keypoints = known.get(digest)
            answer = self._compute(sighting) if keypoints is None else keypoints
            if isinstance(answer, Keypoints):
                known[digest] = answer
            found.append(answer)
        return found

    def _compute(self, sighting: Sighting | Candidate) -> Keypoints | Poison:
        try:
            content = self._store.get(sighting.crop, self._max_bytes)
            with EXTRACTION.time():
                keypoints = self._extractor.extract(
                    images.decode(content, max_bytes=self._max_bytes), self._animal(sighting.mask)
                )
        except Poison as unusable:
            return unusable
        KEYPOINTS.labels("computed").inc()
        self._cache.put(sighting.crop.sha256, keypoints)
        return keypoints

    def _animal(self, mask: Mask) -> Animal | None:
        """Return what the embedder found, if it is what would be found here."""
        if not self._extractor.finder or mask.finder != self._extractor.finder:
            return None
        try:
            return stored_mask.read(mask, self._store)
        except Poison as unusable:
            log.warning("a mask can't be used, and is made anew: %s", unusable.reason)
            return None

"""Keypoints of stored crops: out of the cache, else computed from the crop."""

from collections.abc import Sequence
from typing import Protocol

from services.matcher.extractor import KeypointExtractor
from services.matcher.keypoints import Keypoints
from services.matcher.metrics import EXTRACTION, KEYPOINTS
from shared import images
from shared.blobs import BlobStore
from shared.errors import Poison
from shared.messages import BlobReference


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

    def find(self, crops: Sequence[BlobReference]) -> list[Keypoints | Poison]:
        """Return the keypoints of each crop, or why it has none.

        A crop that is missing or can't be decoded spoils only itself.

        Raises:
            Transient: the store does not answer. What was computed is cached.
        """
        known = self._cache.get(list(dict.fromkeys(crop.sha256 for crop in crops)))
        found: list[Keypoints | Poison] = []
        for crop in crops:
            keypoints = known.get(crop.sha256)
            answer = self._compute(crop) if keypoints is None else keypoints
            if isinstance(answer, Keypoints):
                known[crop.sha256] = answer
            found.append(answer)
        return found

    def _compute(self, crop: BlobReference) -> Keypoints | Poison:
        try:
            content = self._store.get(crop, self._max_bytes)
            with EXTRACTION.time():
                keypoints = self._extractor.extract(
                    images.decode(content, max_bytes=self._max_bytes)
                )
        except Poison as unusable:
            return unusable
        KEYPOINTS.labels("computed").inc()
        self._cache.put(crop.sha256, keypoints)
        return keypoints

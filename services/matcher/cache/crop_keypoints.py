"""Keypoints of crops: from the cache, from the store, or computed from crop and mask."""

import logging
import time
from collections.abc import Sequence
from itertools import islice
from typing import Protocol

from services.matcher.metrics import EXTRACTION, KEYPOINTS, READY
from shared.blobs import BlobStore
from shared.errors import Poison
from shared.foreground import stored_mask
from shared.foreground.animal import Animal
from shared.images import codec
from shared.keypoints.extractors.crop_extractor import Crop, CropExtractor
from shared.keypoints.keypoints import Keypoints
from shared.keypoints.stored import StoredKeypoints
from shared.messages import Candidate, Mask, Sighting

log = logging.getLogger(__name__)

# Crops read and processed together: GPUs need batches, and results are cached before the next ones
# are read.
TOGETHER = 32


class KeypointStore(Protocol):
    """Keypoints by the SHA-256 of their crop, for one model: the cache, or the store itself."""

    def get(self, digests: Sequence[str]) -> dict[str, Keypoints]:
        """Return the stored keypoints of these crops."""
        ...

    def put(self, digest: str, keypoints: Keypoints) -> None:
        """Store a crop's keypoints."""
        ...


class CropKeypoints:
    """Returns keypoints of crops, which the embedder has stored.

    They are computed where it has not: crops of before, or of another extractor. At most
    `max_bytes` of a crop are read.
    """

    def __init__(
        self,
        store: BlobStore,
        extractor: CropExtractor,
        cache: KeypointStore,
        max_bytes: int,
    ) -> None:
        self._store = store
        self._extractor = extractor
        self._cache = cache
        self.model = extractor.model
        self._stored = StoredKeypoints(store, extractor.model)
        self._max_bytes = max_bytes

    def find(self, sightings: Sequence[Sighting | Candidate]) -> list[Keypoints | Poison]:
        """Return the keypoints of each crop, or why it has none.

        A missing or undecodable crop affects only itself. A mask of another segmenter, or an
        unreadable one, is computed again.

        Raises:
            Transient: the store does not respond. Computed keypoints are cached already.
        """
        begun = time.perf_counter()
        digests = [each.crop.sha256 for each in sightings]
        known = self._cache.get(list(dict.fromkeys(digests)))
        missing = [digest for digest in dict.fromkeys(digests) if digest not in known]
        known |= self._from_store(missing)
        unusable: dict[int, Poison] = {}
        while True:
            # A crop may be listed twice, once with a wrong reference; so try each.
            left = {
                digest: i
                for i, digest in reversed(list(enumerate(digests)))
                if digest not in known and i not in unusable
            }
            if not left:
                break
            some = dict(islice(left.items(), TOGETHER))
            for (digest, i), answer in zip(
                some.items(), self._computed([sightings[i] for i in some.values()]), strict=True
            ):
                if isinstance(answer, Poison):
                    unusable[i] = answer
                else:
                    known[digest] = answer
        READY.labels("some" if missing else "none").observe(time.perf_counter() - begun)
        return [unusable[i] if i in unusable else known[each] for i, each in enumerate(digests)]

    def _from_store(self, digests: Sequence[str]) -> dict[str, Keypoints]:
        """Return stored keypoints, and cache them."""
        found = self._stored.get(digests)
        for digest, keypoints in found.items():
            self._cache.put(digest, keypoints)
        KEYPOINTS.labels("store").inc(len(found))
        return found

    def _computed(self, sightings: Sequence[Sighting | Candidate]) -> list[Keypoints | Poison]:
        """Return the keypoints of distinct crops, and cache them."""
        begun = time.perf_counter()
        crops = [self._crop(sighting) for sighting in sightings]
        readable = [crop for crop in crops if isinstance(crop, Crop)]
        found = iter(self._extractor.extract_all(readable))
        answers = [next(found) if isinstance(crop, Crop) else crop for crop in crops]
        for sighting, answer in zip(sightings, answers, strict=True):
            if isinstance(answer, Keypoints):
                self._cache.put(sighting.crop.sha256, answer)
                EXTRACTION.observe((time.perf_counter() - begun) / len(readable))
        KEYPOINTS.labels("computed").inc(len(readable))
        return answers

    def _crop(self, sighting: Sighting | Candidate) -> Crop | Poison:
        try:
            content = self._store.get(sighting.crop, self._max_bytes)
            image = codec.decode(content, max_bytes=self._max_bytes)
        except Poison as unusable:
            return unusable
        return Crop(image, self._animal(sighting.mask))

    def _animal(self, mask: Mask) -> Animal | None:
        """Return the embedder's mask, if this segmenter would compute the same."""
        if not self._extractor.finder or mask.finder != self._extractor.finder:
            return None
        try:
            return stored_mask.read(mask, self._store)
        except Poison as unusable:
            log.warning("a mask is unusable and computed again: %s", unusable.reason)
            return None

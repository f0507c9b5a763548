"""Finds the keypoints of crops and stores them, for matcher and lookup."""

import time
from collections.abc import Sequence
from concurrent.futures import Executor

from services.embedder.metrics import EXTRACTION
from shared.blobs import BlobStore
from shared.keypoints.extractors.crop_extractor import Crop, CropExtractor
from shared.keypoints.stored import StoredKeypoints


class Extraction:
    """Stores the keypoints of crops: on a GPU in batches, on a CPU one crop in each thread."""

    def __init__(self, extractor: CropExtractor, store: BlobStore, threads: Executor) -> None:
        self.model = extractor.model
        self._extractor = extractor
        self._stored = StoredKeypoints(store, extractor.model)
        self._threads = threads

    def store(self, digests: Sequence[str], crops: Sequence[Crop]) -> None:
        """Find and store the keypoints of crops, by the SHA-256 of each.

        Raises:
            Transient: the store does not accept them.
        """
        starts = range(0, len(crops), self._extractor.together)
        parts = [slice(start, start + self._extractor.together) for start in starts]
        names, shown = [digests[part] for part in parts], [crops[part] for part in parts]
        list(self._threads.map(self._some, names, shown))

    def _some(self, digests: Sequence[str], crops: Sequence[Crop]) -> None:
        begun = time.perf_counter()
        found = self._extractor.extract_all(crops)
        EXTRACTION.observe((time.perf_counter() - begun) / len(crops))
        for digest, keypoints in zip(digests, found, strict=True):
            self._stored.put(digest, keypoints)

"""Keypoints in the store of crops, beside crop and mask: 34 kB each."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from shared.blobs import BlobStore
from shared.embeddings import model_name
from shared.errors import Poison
from shared.keypoints import keypoints as codec
from shared.keypoints.keypoints import Keypoints
from shared.messages import ModelReference

log = logging.getLogger(__name__)

# 4,096 keypoints of 256 values.
MAX_BYTES = 2 * 1024 * 1024
# A cloud store takes 20 ms to answer, so a list's candidates are read together.
AT_ONCE = 16


class StoredKeypoints:
    """Keypoints by the SHA-256 of their crop, for one extractor's model. Thread-safe.

    The key follows from crop and model, so no message carries it. The content has a checksum; what
    is damaged or of another format counts as missing.
    """

    def __init__(self, store: BlobStore, model: ModelReference) -> None:
        self._store = store
        self._folder = f"keypoints/{codec.FORMAT}-{model_name(model)}"
        self._threads = ThreadPoolExecutor(AT_ONCE, "keypoints")

    def key(self, digest: str) -> str:
        """Return the key of a crop's keypoints."""
        return f"{self._folder}/{digest[:2]}/{digest}"

    def get(self, digests: Sequence[str]) -> dict[str, Keypoints]:
        """Return the stored keypoints of these crops.

        Raises:
            Transient: the store does not respond.
        """
        if len(digests) == 1:
            found = [self._read(digests[0])]
        else:
            found = list(self._threads.map(self._read, digests))
        return {
            digest: each for digest, each in zip(digests, found, strict=True) if each is not None
        }

    def put(self, digest: str, keypoints: Keypoints) -> None:
        """Store a crop's keypoints; storing the same again changes nothing.

        Raises:
            Transient: the store does not accept them.
        """
        self._store.put(self.key(digest), codec.encode(keypoints))

    def _read(self, digest: str) -> Keypoints | None:
        try:
            content = self._store.find(self.key(digest), MAX_BYTES)
            return None if content is None else codec.decode(content)
        except (Poison, codec.UnreadableKeypointsError) as error:
            log.warning("%s is unusable: %s", self.key(digest), error)
            return None

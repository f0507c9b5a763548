"""Crops at the size that pages show, cached in memory."""

import io
import threading
from collections import OrderedDict
from typing import Literal

from PIL import Image

from shared.blobs import BlobStore
from shared.errors import Poison
from shared.messages import BlobReference

Size = Literal["160", "320", "640", "full"]

# No stored crop is larger.
MOST_BYTES = 64 * 1024 * 1024
KEPT_BYTES = 64 * 1024 * 1024
QUALITY = 82


class Thumbnails:
    """Pictures of one store of crops. Thread-safe."""

    def __init__(self, crops: BlobStore, kept_bytes: int = KEPT_BYTES) -> None:
        self._crops = crops
        self._most = kept_bytes
        self._kept: OrderedDict[tuple[str, Size], bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def whole(self, reference: BlobReference) -> bytes:
        """Return a crop as stored; see `get`."""
        return self._crops.get(reference, MOST_BYTES)

    def get(self, reference: BlobReference, size: Size) -> bytes:
        """Return a crop as a JPEG whose longer side is at most `size`.

        Raises:
            Poison: the crop is missing or damaged.
            Transient: the store does not respond.
        """
        if size == "full":
            return self.whole(reference)
        name = (reference.sha256, size)
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
                return self._kept[name]
        made = _shrunk(self.whole(reference), int(size))
        with self._lock:
            if name not in self._kept:
                self._kept[name] = made
                self._bytes += len(made)
            while self._bytes > self._most:
                _, gone = self._kept.popitem(last=False)
                self._bytes -= len(gone)
        return made


def _shrunk(crop: bytes, side: int) -> bytes:
    try:
        with Image.open(io.BytesIO(crop), formats=["JPEG"]) as picture:
            picture.draft("RGB", (side, side))
            picture.thumbnail((side, side))
            target = io.BytesIO()
            picture.convert("RGB").save(target, "JPEG", quality=QUALITY)
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise Poison(f"a stored crop can't be read: {error}") from error
    return target.getvalue()

"""Masks in the crop store: 1-bit PNGs of about 1 kB."""

import hashlib
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from shared.blobs import BlobStore
from shared.errors import Poison
from shared.foreground.animal import OUTCOMES, Animal
from shared.images import codec
from shared.messages import Mask

MAX_BYTES = 1024 * 1024
MAX_PIXELS = 4_000_000


def keep(animal: Animal, finder: str, store: BlobStore) -> Mask:
    """Store an animal's mask and return its reference; storing the same again changes nothing.

    Masks are content-addressed, so one segmenter's never replaces another's.

    Raises:
        Transient: the store does not respond.
    """
    if animal.outcome != "used":
        return Mask(unused=animal.outcome, finder=finder)
    content = packed(animal.mask)
    digest = hashlib.sha256(content).hexdigest()
    return Mask(image=store.put(f"masks/{digest[:2]}/{digest}.png", content), finder=finder)


def read(mask: Mask, store: BlobStore) -> Animal:
    """Return a stored animal; one whose mask is not used has a single pixel.

    Raises: Poison: the mask is missing, damaged, or of an unknown kind.
        Transient: the store does not respond.
    """
    if mask.HasField("image"):
        found = unpacked(store.get(mask.image, MAX_BYTES))
        if not found.any():
            raise Poison("a mask shows no animal")
        return Animal(found, "used")
    for outcome in OUTCOMES:
        if outcome == mask.unused and outcome != "used":
            return Animal(np.ones((1, 1), np.bool_), outcome)
    raise Poison(f"a mask has no image and an unknown outcome, {mask.unused[:100]!r}")


def packed(mask: NDArray[np.bool_]) -> bytes:
    """Return a mask [h, w] as a PNG; equal masks give equal bytes."""
    target = io.BytesIO()
    Image.fromarray(mask).save(target, "PNG", optimize=True)
    return target.getvalue()


def unpacked(content: bytes) -> NDArray[np.bool_]:
    """Return the mask of a PNG.

    Raises:
        Poison: it can't be read; kinds as in `shared.images.codec`.
    """
    pixels = codec.decode(content, max_bytes=MAX_BYTES, max_pixels=MAX_PIXELS)
    return np.asarray(pixels[..., 0] > 127)

"""Caches masks in a folder."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.errors import Poison, ResightError
from shared.files import write_atomically
from shared.foreground.segmenter import Segmenter
from shared.foreground.stored_mask import packed, unpacked


class MaskFolder:
    """A `Segmenter` that is run only for pictures without a cached mask."""

    def __init__(self, segmenter: Segmenter, folder: Path) -> None:
        self._segmenter = segmenter
        self._folder = folder / segmenter.fingerprint
        self.fingerprint = segmenter.fingerprint
        self.surroundings = segmenter.surroundings

    def masks(self, images: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.bool_]]:
        """Return the segmenter's mask of each picture.

        Raises:
            ResightError: a file in the folder is damaged.
        """
        return [self._mask(image) for image in images]

    def _mask(self, image: NDArray[np.uint8]) -> NDArray[np.bool_]:
        digest = sha256(f"{image.shape} ".encode() + image.tobytes()).hexdigest()
        path = self._folder / digest[:2] / f"{digest[2:]}.png"
        if path.is_file():
            try:
                return unpacked(path.read_bytes())
            except Poison as error:
                raise ResightError(f"{path} is damaged; delete it and run again") from error
        [mask] = self._segmenter.masks([image])
        write_atomically(path, packed(mask))
        return mask

"""The segmenter protocol."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Segmenter(Protocol):
    """Finds the animal in a picture, deterministically.

    `fingerprint` names the method and everything that its masks depend on, valid in a file name.
    `surroundings`: it needs the surroundings of an animal's box too.
    """

    @property
    def fingerprint(self) -> str: ...

    @property
    def surroundings(self) -> bool: ...

    def masks(self, images: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.bool_]]:
        """Return where each RGB picture, uint8 [H, W, 3], shows the animal: bool [H, W]."""
        ...

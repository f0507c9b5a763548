"""What tells the animal from its surroundings."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Segmenter(Protocol):
    """Finds the animal in a picture, the same in the same picture every time.

    `fingerprint` names the method and everything that its masks depend on; it is
    fit for a file's name. `surroundings`: it wants to see what is around an animal's box too.
    """

    @property
    def fingerprint(self) -> str: ...

    @property
    def surroundings(self) -> bool: ...

    def masks(self, images: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.bool_]]:
        """Return where each RGB picture, uint8 [H, W, 3], shows the animal: bool [H, W]."""
        ...

"""What tells the animal from its surroundings in a crop."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Segmenter(Protocol):
    """Finds the animal in a crop, the same in the same crop every time.

    `fingerprint` names the method and everything that its masks depend on; it is
    fit for a file's name.
    """

    @property
    def fingerprint(self) -> str: ...

    def mask(self, image: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Return where an RGB crop, uint8 [H, W, 3], shows the animal: bool [H, W]."""
        ...

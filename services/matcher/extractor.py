"""What finds keypoints in a crop, whatever the network."""

import hashlib
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from services.matcher.keypoints import Keypoints
from shared.foreground.animal import Animal
from shared.messages import ModelReference
from shared.shrinking import shrunk

# A strip thinner than this holds nothing that a network with stride 32 could describe.
THINNEST = 16


class KeypointExtractor(Protocol):
    """Finds and describes keypoints.

    `model` names the network, its weights and everything before it; keypoints
    compare only when it is equal. `descriptor_length` is D. `finder` names what finds the
    animals that it goes by; empty: it looks at all of a crop.
    """

    @property
    def model(self) -> ModelReference: ...

    @property
    def descriptor_length(self) -> int: ...

    @property
    def finder(self) -> str: ...

    def extract(self, image: NDArray[np.uint8], animal: Animal | None = None) -> Keypoints:
        """Return the keypoints of an RGB crop, uint8 [H, W, 3], best first.

        `animal` is where its `finder` has found it, if that was asked already. Positions are
        in pixels of the scaled crop. A picture that shows nothing gives none.
        """
        ...


@dataclass(frozen=True)
class Preprocessing:
    """How a crop becomes a network's input, and what becomes of the keypoints.

    longest_side: of the input, in pixels
    keypoints: how many at most
    """

    longest_side: int
    keypoints: int

    def digest(self, least_score: float) -> str:
        """Return a short hash of all that happens before and after the network."""
        text = (
            f"rgb/255 area-shrink longest={self.longest_side} best={self.keypoints} "
            f"least={least_score:g} thinnest={THINNEST}"
        )
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def scaled(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the crop with its longest side at most `longest_side`; it is never enlarged."""
        return shrunk(image, self.longest_side)


def as_tensor(image: NDArray[np.uint8]) -> torch.Tensor:
    """Return a picture [H, W, 3] as float32 [1, 3, H, W] in 0..1."""
    tensor = torch.tensor(image, dtype=torch.float32)
    return tensor.permute(2, 0, 1).unsqueeze(0).div(255)

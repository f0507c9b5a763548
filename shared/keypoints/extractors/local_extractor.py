"""Interface of local feature extractors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from shared.keypoints.keypoints import Keypoints, none_in
from shared.messages import ModelReference

# A thinner strip holds nothing that a network with stride 32 could describe.
THINNEST = 16


@dataclass(frozen=True, eq=False)
class Framed:
    """A picture scaled for a detector, RGB uint8 [H, W, 3].

    on: bool [H, W], where keypoints may be; None: anywhere
    """

    image: NDArray[np.uint8]
    on: NDArray[np.bool_] | None = None

    @property
    def thin(self) -> bool:
        """Whether it is too thin to hold keypoints."""
        return bool(min(self.image.shape[:2]) < THINNEST)


@dataclass(frozen=True)
class ExtractorOptions:
    """Options of an extractor.

    keypoints: maximum per picture
    device: of PyTorch
    weights: folder of the user's weights; empty: none
    """

    keypoints: int
    device: str = "cpu"
    weights: str = ""


class LocalExtractor(Protocol):
    """Detects keypoints and describes them, in batches that suit its device.

    `model` names the network, its weights and the maximum number of keypoints; `descriptor_length`
    is D; `together` pictures are detected at once.
    """

    @property
    def model(self) -> ModelReference: ...

    @property
    def descriptor_length(self) -> int: ...

    @property
    def together(self) -> int: ...

    def detect(self, pictures: Sequence[Framed]) -> list[Keypoints]:
        """Return each picture's best allowed keypoints, best first.

        Positions are in pixels of the picture. A featureless picture has none. Results do not
        depend on the other pictures.
        """
        ...


def as_tensor(image: NDArray[np.uint8]) -> torch.Tensor:
    """Return a picture [H, W, 3] as float32 [1, 3, H, W] in 0..1."""
    tensor = torch.tensor(image, dtype=torch.float32)
    return tensor.permute(2, 0, 1).unsqueeze(0).div(255)


def one_by_one(
    pictures: Sequence[Framed],
    find: Callable[[NDArray[np.uint8]], Keypoints],
    keypoints: int,
    descriptor_length: int,
) -> list[Keypoints]:
    """Return the best allowed keypoints that `find` detects in each picture."""
    found = []
    for picture in pictures:
        height, width = picture.image.shape[:2]
        if picture.thin:
            found.append(none_in(width, height, descriptor_length))
            continue
        every = find(picture.image)
        found.append(every.where(_lying_on(picture.on, every.positions)).best(keypoints))
    return found


def _lying_on(mask: NDArray[np.bool_] | None, positions: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which positions, x and y [K, 2], are allowed: bool [K]."""
    if mask is None:
        return np.ones(len(positions), np.bool_)
    corner = np.array([mask.shape[1] - 1, mask.shape[0] - 1])
    columns, rows = np.minimum(positions.astype(np.intp), corner).T
    return np.asarray(mask[rows, columns])

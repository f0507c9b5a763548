"""What finds and describes keypoints in a picture, whatever the network."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from services.matcher.keypoints import Keypoints, none_in
from shared.messages import ModelReference

# A strip thinner than this holds nothing that a network with stride 32 could describe.
THINNEST = 16


@dataclass(frozen=True, eq=False)
class Framed:
    """A picture of the size that a detector is to see, RGB uint8 [H, W, 3].

    on: bool [H, W], where keypoints may lie; None: anywhere
    """

    image: NDArray[np.uint8]
    on: NDArray[np.bool_] | None = None

    @property
    def thin(self) -> bool:
        """Whether it holds nothing that could be described."""
        return bool(min(self.image.shape[:2]) < THINNEST)


@dataclass(frozen=True)
class ExtractorOptions:
    """What an extractor may need.

    keypoints: per picture, at most
    device: of PyTorch
    weights: folder of weights that the user brings; empty: none
    noncommercial: whether weights that only research may use are allowed
    """

    keypoints: int
    device: str = "cpu"
    weights: str = ""
    noncommercial: bool = False


class LocalExtractor(Protocol):
    """Finds keypoints and describes them, in as many pictures at once as its device likes.

    `model` names the network, its weights and how many keypoints it returns at most;
    `descriptor_length` is D.
    """

    @property
    def model(self) -> ModelReference: ...

    @property
    def descriptor_length(self) -> int: ...

    def detect(self, pictures: Sequence[Framed]) -> list[Keypoints]:
        """Return each picture's best keypoints where they may lie, best first.

        Positions are in pixels of the picture. One that shows nothing gives none. What is found
        in a picture does not depend on the others.
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
    """Return the best of what `find` sees in each picture that lie where they may."""
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
    """Return which positions, x and y [K, 2], lie where they may: bool [K]."""
    if mask is None:
        return np.ones(len(positions), np.bool_)
    corner = np.array([mask.shape[1] - 1, mask.shape[0] - 1])
    columns, rows = np.minimum(positions.astype(np.intp), corner).T
    return np.asarray(mask[rows, columns])

"""Crops as the serving embedder makes them, decoded once and kept in memory."""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.catalogue import Photograph
from recognition.training.recipe import TrainingError
from recognition.training.samples import box_of
from services.embedder.preparation import Preparation
from shared import images
from shared.errors import Poison
from shared.foreground.animal import Animal
from shared.foreground.segmenter import Segmenter
from shared.foreground.view import View
from shared.rgb import Pixels

# Random crops need some room around what the model sees.
ROOM = 1.15


@dataclass(frozen=True)
class Crops:
    """N crops, decoded: `exact` as the model is served, `roomy` to cut random pictures from.

    uint8 [N, S, S, 3] and [N, R, R, 3] with R = 1.15 S. `animals`, bool [N, R, R], says
    where the animal is in the latter, if a segmenter has told.
    """

    exact: NDArray[np.uint8]
    roomy: NDArray[np.uint8]
    animals: NDArray[np.bool_] | None = None

    @property
    def input_size(self) -> int:
        """S, in pixels."""
        return int(self.exact.shape[1])


def decode(
    photographs: Sequence[Photograph],
    input_size: int,
    segmenter: Segmenter | None = None,
    *,
    threads: int = 2,
    progress: Callable[[int], None] = lambda _: None,
) -> Crops:
    """Decode the one animal of each photograph through the embedder's own preparation.

    `progress` is told after each picture how many are done. It takes about
    7 · input_size² bytes of memory a picture: 1,500 at 224 need 530 MB.

    Raises:
        TrainingError: a picture can't be decoded.
    """
    roomy = math.ceil(input_size * ROOM)
    exact = np.empty((len(photographs), input_size, input_size, 3), np.uint8)
    wide = np.empty((len(photographs), roomy, roomy, 3), np.uint8)
    animals = np.empty((len(photographs), roomy, roomy), np.bool_) if segmenter else None
    with ThreadPoolExecutor(threads, "decode") as pool:
        made = pool.map(lambda each: _made(each, input_size, roomy, segmenter), photographs)
        for number, (small, large, animal) in enumerate(made):
            exact[number], wide[number] = small, large
            if animals is not None:
                animals[number] = animal
            progress(number + 1)
    return Crops(exact, wide, animals)


def _made(
    photograph: Photograph, input_size: int, roomy: int, segmenter: Segmenter | None
) -> tuple[Pixels, Pixels, NDArray[np.bool_] | None]:
    preparation = Preparation(input_size)
    box = box_of(photograph)
    try:
        picture = images.open_picture(photograph.path.read_bytes())
        side = preparation.side_to_decode(picture.width, picture.height, [box])
        pixels = picture.pixels(side)
        crop = preparation.crop(pixels, box)
        animal = None if segmenter is None else _animal(segmenter, View.around(pixels, box), roomy)
        return preparation.model_input(crop), Preparation(roomy).model_input(crop), animal
    except Poison as error:
        raise TrainingError(
            f"{photograph.path} can't be learnt from: {error.reason}; "
            "or take it out of metadata.csv"
        ) from error


def _animal(segmenter: Segmenter, view: View, side: int) -> NDArray[np.bool_]:
    """Return where a view's box shows its animal once it is stretched to a square of that side."""
    mask = Animal.find(segmenter, view).mask
    square = cv2.resize(mask.astype(np.uint8), (side, side), interpolation=cv2.INTER_NEAREST)
    return np.asarray(square > 0)

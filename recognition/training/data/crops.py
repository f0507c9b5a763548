"""Crops as the embedder makes them, decoded once and kept in memory."""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from catalogue.reading.catalogue import Photograph
from recognition.training.data.samples import box_of
from recognition.training.recipe import TrainingError
from services.embedder.encoders.preparation import Preparation
from shared.errors import Poison
from shared.foreground.animal import Animal, finder
from shared.foreground.segmenter import Segmenter
from shared.foreground.view import View
from shared.images import codec
from shared.images.rgb import Pixels

# Random crops need some margin around the model's input.
ROOM = 1.15


@dataclass(frozen=True)
class Crops:
    """N decoded crops: `exact` as in service, `roomy` for random crops.

    uint8 [N, S, S, 3] and [N, R, R, 3] with R = 1.15 S. `animals`, bool [N, R, R], masks the animal
    in the latter, if segmented and not alone.
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
    alone: bool = False,
    threads: int = 2,
    progress: Callable[[int], None] = lambda _: None,
) -> Crops:
    """Decode the one animal of each photograph with the embedder's preparation.

    The `segmenter` finds the animals; with `alone`, crops hold nothing else. `progress` gets the
    number done after each picture. It takes about 7 · input_size² bytes of memory per picture:
    1,500 at 224 need 530 MB.

    Raises:
        TrainingError: a picture can't be decoded.
    """
    roomy = math.ceil(input_size * ROOM)
    preparation = Preparation(input_size, finder=finder(segmenter) if segmenter and alone else "")
    exact = np.empty((len(photographs), input_size, input_size, 3), np.uint8)
    wide = np.empty((len(photographs), roomy, roomy, 3), np.uint8)
    told = segmenter is not None and not alone
    animals = np.empty((len(photographs), roomy, roomy), np.bool_) if told else None
    with ThreadPoolExecutor(threads, "decode") as pool:
        made = pool.map(lambda each: _made(each, preparation, roomy, segmenter), photographs)
        for number, (small, large, animal) in enumerate(made):
            exact[number], wide[number] = small, large
            if animals is not None:
                animals[number] = animal
            progress(number + 1)
    return Crops(exact, wide, animals)


def _made(
    photograph: Photograph, preparation: Preparation, roomy: int, segmenter: Segmenter | None
) -> tuple[Pixels, Pixels, NDArray[np.bool_] | None]:
    box = box_of(photograph)
    try:
        picture = codec.open_picture(photograph.path.read_bytes())
        side = preparation.side_to_decode(picture.width, picture.height, [box])
        pixels = picture.pixels(side)
        crop = codec.decode(preparation.crop(pixels, box))
        animal = None if segmenter is None else Animal.find(segmenter, View.around(pixels, box))
        exact = preparation.model_input(crop, animal)
        wide = replace(preparation, input_size=roomy).model_input(crop, animal)
        shown = None if animal is None or preparation.finder else _square(animal.mask, roomy)
        return exact, wide, shown
    except Poison as error:
        raise TrainingError(
            f"{photograph.path} can't be used for training: {error.reason}; or remove it from "
            "metadata.csv"
        ) from error


def _square(mask: NDArray[np.bool_], side: int) -> NDArray[np.bool_]:
    """Return a crop's mask, stretched to a square of this side."""
    square = cv2.resize(mask.astype(np.uint8), (side, side), interpolation=cv2.INTER_NEAREST)
    return np.asarray(square > 0)

"""Drawn animals in their surroundings, whose true masks are known."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition.synthetic.animal import Aspect, draw_animal
from recognition.synthetic.build import Pose
from recognition.synthetic.coat import grow
from recognition.synthetic.light import Light
from recognition.synthetic.place import draw_place
from recognition.synthetic.scene import Placed, photograph
from recognition.synthetic.species import SPECIES
from shared.messages import Box

SIZE = (640, 480)


@dataclass(frozen=True, eq=False)
class Standing:
    """An animal in a photograph.

    picture: RGB uint8 [H, W, 3]
    box: the animal's
    silhouette: bool, of the box
    """

    picture: NDArray[np.uint8]
    box: Box
    silhouette: NDArray[np.bool_]


def standing(light: Light, each: int = 3) -> Iterator[Standing]:
    """Yield `each` animals of every drawn species, one a picture, in as many places."""
    for number in range(each * len(SPECIES)):
        rng = np.random.default_rng((1, number))
        species = SPECIES[sorted(SPECIES)[number % len(SPECIES)]]
        stride, reach, lift = rng.random(), rng.uniform(4, 19), rng.normal(-4, 11)
        pose = Pose(float(stride), float(reach), float(lift), float(rng.uniform(-8, 14)), 0, 0)
        aspect = Aspect(
            scale=float(rng.uniform(0.3, 0.45)),
            yaw=float(rng.normal(0, 12)),
            roll=0.0,
            mirrored=bool(rng.random() < 0.5),
        )
        cutout = draw_animal(species, grow(species.style, (number,)), pose, aspect, rng)
        place = Placed(cutout, float(rng.uniform(290, 350)), float(rng.uniform(400, 440)))
        taken = photograph(draw_place((number,), SIZE), [place], light, rng)
        yield _boxed(taken.image, taken.silhouettes[0])


def _boxed(picture: NDArray[np.uint8], silhouette: NDArray[np.bool_]) -> Standing:
    height, width = silhouette.shape
    rows, columns = (np.flatnonzero(silhouette.any(axis=axis)) for axis in (1, 0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    box = Box(
        x=left / width, y=top / height, width=(right - left) / width, height=(bottom - top) / height
    )
    return Standing(picture, box, silhouette[top:bottom, left:right])

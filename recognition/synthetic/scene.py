"""Scenes: animals in a place, photographed by its camera."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.synthetic.animal import Cutout
from recognition.synthetic.coat import Field
from recognition.synthetic.light import Light, illuminate
from recognition.synthetic.place import Place
from recognition.synthetic.plants import Brush, Image, cut_out, tuft

MOST_HIDDEN = 0.15  # of an animal, by plants


@dataclass(frozen=True)
class Placed:
    """An animal and its position: column and row of the centre of its feet."""

    cutout: Cutout
    x: float
    y: float


@dataclass(frozen=True)
class Extent:
    """An animal's bounding box, fractions of the picture from the top left."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Photograph:
    """A picture [H, W, 3] RGB and its animals, in the order given.

    silhouettes: bool [H, W] of each, including what is in front of it
    """

    image: Image
    boxes: tuple[Extent, ...]
    silhouettes: tuple[NDArray[np.bool_], ...]


def photograph(
    place: Place, animals: Sequence[Placed], light: Light, rng: np.random.Generator
) -> Photograph:
    """Return the picture of some animals at a place, farther ones first.

    Plants hide at most `MOST_HIDDEN` of each animal. Raises ValueError when an animal is outside
    the picture.
    """
    scene = place.background.astype(np.float32)
    height, width = scene.shape[:2]
    everything = np.zeros((height, width), np.float32)
    boxes, silhouettes = [], []
    for animal in animals:
        colour, cover = _framed(animal, (height, width))
        boxes.append(_extent(cover))
        colour, cover = _moved(colour, cover, rng)
        silhouettes.append(cover > 0.5)
        if light is not Light.NIGHT:
            scene *= (1.0 - 0.38 * _shadow(animal, (height, width)))[..., None]
        scene = scene * (1.0 - cover[..., None]) + colour
        everything = np.maximum(everything, cover)
        _overlay(scene, *_grass(animal, place, (height, width), rng), cover)
    # Wind, so that plants in front are not always in one place.
    wind = int(rng.integers(-3, 4))
    colour = np.roll(place.front_colour, wind, axis=1)
    _overlay(scene, colour, np.roll(place.front_cover, wind, axis=1), everything)
    if light is Light.NIGHT:
        for animal in animals:
            _glint(scene, animal)
    taken = illuminate(scene, everything, light, rng)
    return Photograph(taken.astype(np.uint8), tuple(boxes), tuple(silhouettes))


def _framed(animal: Placed, shape: tuple[int, int]) -> tuple[Field, Field]:
    """Return the animal's colour and cover in a picture of `shape`."""
    colour = np.zeros((*shape, 3), np.float32)
    cover = np.zeros(shape, np.float32)
    left, top = _corner(animal)
    rows, columns = animal.cutout.cover.shape
    target = (
        slice(max(0, top), max(0, min(shape[0], top + rows))),
        slice(max(0, left), max(0, min(shape[1], left + columns))),
    )
    source = (
        slice(target[0].start - top, target[0].stop - top),
        slice(target[1].start - left, target[1].stop - left),
    )
    cover[target] = animal.cutout.cover[source]
    colour[target] = animal.cutout.colour[source]
    return colour, cover


def _corner(animal: Placed) -> tuple[int, int]:
    columns = animal.cutout.cover.shape[1]
    return round(animal.x - columns / 2), round(animal.y - animal.cutout.ground)


def _extent(cover: Field) -> Extent:
    height, width = cover.shape
    rows = np.flatnonzero((cover > 0.5).any(axis=1))
    columns = np.flatnonzero((cover > 0.5).any(axis=0))
    if not len(rows):
        raise ValueError("the animal is outside the picture; place it nearer to the centre")
    return Extent(
        x=float(columns[0] / width),
        y=float(rows[0] / height),
        width=float((columns[-1] + 1 - columns[0]) / width),
        height=float((rows[-1] + 1 - rows[0]) / height),
    )


def _moved(colour: Field, cover: Field, rng: np.random.Generator) -> tuple[Field, Field]:
    """Return the animal blurred along its walk, in a third of the pictures."""
    reach = int(rng.integers(2, 5)) if rng.random() < 0.33 else 1
    if reach == 1:
        return colour, cover
    along = (reach, 1)
    blurred = cv2.blur(colour, along), cv2.blur(cover, along)
    return np.asarray(blurred[0], np.float32), np.asarray(blurred[1], np.float32)


def _shadow(animal: Placed, shape: tuple[int, int]) -> Field:
    """Return how dark the ground is below the animal, 0..1."""
    shadow = np.zeros(shape, np.float32)
    reach = animal.cutout.cover.shape[1] * 0.33
    axes = int(reach), int(reach * 0.16)
    cv2.ellipse(shadow, (int(animal.x), int(animal.y - axes[1] * 0.4)), axes, 0, 0, 360, 1.0, -1)
    return np.asarray(cv2.GaussianBlur(shadow, (0, 0), reach * 0.06), np.float32)


def _grass(
    animal: Placed, place: Place, shape: tuple[int, int], rng: np.random.Generator
) -> tuple[Field, Field]:
    """Return the grass in which the animal stands: colour and cover."""
    half = animal.cutout.cover.shape[1] * 0.42
    size = animal.cutout.ground / 300.0

    def grow(brush: Brush) -> None:
        for x in animal.x + brush.rng.uniform(-half, half, 12):
            tuft(brush, float(x), animal.y + brush.rng.uniform(-3.0, 8.0) * size, size)

    return cut_out(shape, place.palette, int(rng.integers(2**32)), grow)


def _overlay(scene: Field, colour: Field, cover: Field, animals: Field) -> None:
    """Paint plants over the scene, thinned in front of animals that they would hide too much of."""
    hidden = float((animals * cover).sum() / animals.sum())
    # Two layers of plants share the limit.
    kept = min(1.0, MOST_HIDDEN / 2 / max(hidden, 1e-6))
    share = (1.0 - animals * (1.0 - kept))[..., None]
    scene += (colour - scene * cover[..., None]) * share


def _glint(scene: Field, animal: Placed) -> None:
    """Let the eye reflect the flash."""
    left, top = _corner(animal)
    eye = animal.cutout.eye
    size = animal.cutout.ground / 300.0
    bloom = np.zeros(scene.shape[:2], np.float32)
    cv2.circle(
        bloom, (round(left + eye[0]), round(top + eye[1])), max(1, round(2.4 * size)), 1.0, -1
    )
    bloom = np.maximum(bloom, cv2.GaussianBlur(bloom, (0, 0), 2.5 * size))
    scene += (255.0 - scene) * bloom[..., None]

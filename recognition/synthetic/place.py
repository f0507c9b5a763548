"""Places: the fixed view of one camera, with or without animals.

All pictures of a deployment share one background. It is as rich in corners as a real one: matching
whole pictures finds the same place, not the same animal.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from recognition.synthetic.coat import Field
from recognition.synthetic.plants import (
    Brush,
    Image,
    Palette,
    bush,
    cut_out,
    landscape,
    leaves,
    stone,
    tree,
    tuft,
)


@dataclass(frozen=True)
class Place:
    """One camera's view.

    `background` [H, W, 3] 0..255; the plants before the animal are `front_colour`
    [H, W, 3], multiplied by its cover, and `front_cover` [H, W] 0..1.
    """

    background: Image
    front_colour: Field
    front_cover: Field
    palette: Palette


_DRAW = {"bush": bush, "tree": tree, "stone": stone, "tuft": tuft}


def draw_place(seed: tuple[int, ...], size: tuple[int, int]) -> Place:
    """Return the view of one camera, `size` is (width, height) in pixels."""
    rng = np.random.default_rng(seed)
    palette = landscape(rng)
    width, height = size
    horizon = int(height * rng.uniform(0.24, 0.36))
    ground = _sky_and_ground(width, height, horizon, palette, rng)
    image = np.clip(ground, 0, 255).astype(np.uint8)
    brush = Brush(image, palette, rng)
    items = [("bush", y) for y in rng.uniform(0.0, 0.45, 7)]
    items += [("tree", y) for y in rng.uniform(0.02, 0.35, rng.integers(3, 7))]
    items += [("stone", y) for y in rng.uniform(0.05, 0.75, rng.integers(6, 14))]
    items += [("tuft", y) for y in rng.uniform(0.0, 1.0, 420) ** 0.8]
    for kind, depth in sorted(items, key=lambda item: item[1]):
        y = horizon + depth * (height - horizon)
        scale = (0.16 + 0.84 * depth) * height / 480
        _DRAW[kind](brush, rng.uniform(-10, width + 10), y, scale)
    colour, cover = _front(width, height, palette, rng)
    return Place(image, colour, cover, palette)


def _fractal(shape: tuple[int, int], cells: tuple[int, int], rng: np.random.Generator) -> Field:
    """Return noise of four octaves, about -1..1; `cells` of the first along y and x."""
    total = np.zeros(shape, np.float32)
    for octave in range(4):
        grid = rng.standard_normal((cells[0] * 2**octave + 2, cells[1] * 2**octave + 2))
        layer = cv2.resize(grid.astype(np.float32), shape[::-1], interpolation=cv2.INTER_CUBIC)
        total += layer * 0.55**octave
    return total * 0.6


def _sky_and_ground(
    width: int, height: int, horizon: int, palette: Palette, rng: np.random.Generator
) -> Field:
    image = np.empty((height, width, 3), np.float32)
    rise = np.linspace(0.86, 1.06, horizon, dtype=np.float32)[:, None, None]
    clouds = _fractal((horizon, width), (2, 3), rng)[..., None]
    image[:horizon] = palette.sky * (rise + 0.035 * clouds)
    columns = np.arange(width)
    for tone, level in ((0.9, 0.45), (0.68, 0.2)):
        ridge = _fractal((2, width), (1, 7), rng)[0] * horizon * 0.16 + horizon * (1 - level)
        rows = np.arange(horizon)[:, None]
        hidden = np.clip(rows - ridge[None, columns], 0.0, 1.0)[..., None]
        texture = 1.0 + 0.16 * _fractal((horizon, width), (8, 24), rng)[..., None]
        image[:horizon] += (palette.far * tone * texture - image[:horizon]) * hidden
    depth = np.linspace(0.0, 1.0, height - horizon, dtype=np.float32)[:, None]
    patches = np.clip(0.5 + 0.55 * _fractal((height - horizon, width), (5, 4), rng), 0, 1)
    grain = rng.standard_normal((height - horizon, width)).astype(np.float32)
    light = (0.86 + 0.16 * depth + 0.06 * grain)[..., None]
    soil, grass = palette.soil * 0.92, palette.grass * 0.84
    image[horizon:] = (soil + patches[..., None] * (grass - soil)) * light
    return image


def _front(
    width: int, height: int, palette: Palette, rng: np.random.Generator
) -> tuple[Field, Field]:
    """Return the foreground: tall grass at the bottom, twigs in a corner."""
    unit = height / 480
    corner = np.array([rng.choice([0.0, 1.0]) * width, rng.uniform(0.0, 0.35) * height])

    def grow(brush: Brush) -> None:
        for x in brush.rng.uniform(0, width, 32):
            tuft(brush, x, height + 6.0, brush.rng.uniform(1.1, 1.8) * unit)
        for _ in range(4):
            cloud = corner + brush.rng.normal(0, 26, 2) * unit
            leaves(brush, cloud, np.array([46.0, 40.0]) * unit, 34, 1.6 * unit)

    return cut_out((height, width), palette, int(rng.integers(2**32)), grow)

"""Draws plants and stones into an RGB image."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from recognition.synthetic.coat import Field

Image = NDArray[np.uint8]

_SHIFT = 4  # OpenCV's fixed-point coordinates: sixteenths of a pixel


@dataclass(frozen=True)
class Palette:
    """The colours of a landscape, RGB 0..255, each [3]."""

    sky: Field
    far: Field
    soil: Field
    grass: Field
    leaf: Field
    bark: Field
    stone: Field


@dataclass(frozen=True)
class Brush:
    """What a plant is drawn with: target RGB image, colours, and random generator."""

    image: Image
    palette: Palette
    rng: np.random.Generator


_SAVANNA = Palette(
    *(
        np.array(colour, np.float32)
        for colour in (
            (206, 216, 222),
            (150, 156, 140),
            (166, 140, 98),
            (188, 164, 92),
            (104, 116, 58),
            (104, 86, 66),
            (142, 132, 120),
        )
    )
)
_WOODLAND = Palette(
    *(
        np.array(colour, np.float32)
        for colour in (
            (196, 212, 214),
            (98, 124, 96),
            (112, 98, 68),
            (112, 134, 62),
            (64, 98, 44),
            (78, 64, 52),
            (116, 116, 110),
        )
    )
)


def cut_out(
    shape: tuple[int, int], palette: Palette, seed: int, draw: Callable[[Brush], None]
) -> tuple[Field, Field]:
    """Return what `draw` draws: colour [H, W, 3], premultiplied, and cover [H, W] 0..1."""
    black = np.zeros((*shape, 3), np.uint8)
    white = np.full((*shape, 3), 255, np.uint8)
    for ground in (black, white):
        draw(Brush(ground, palette, np.random.default_rng(seed)))
    # Pixels that differ on white and on black ground are not covered.
    through = (white[..., 1].astype(np.float32) - black[..., 1]) / 255.0
    cover = np.asarray(np.clip(1.0 - through, 0.0, 1.0), np.float32)
    return black.astype(np.float32), cover


def landscape(rng: np.random.Generator) -> Palette:
    share = rng.uniform(0.0, 1.0)
    tint = rng.uniform(0.92, 1.06) * rng.uniform(0.98, 1.02, 3)

    def mixed(name: str) -> Field:
        dry, green = getattr(_SAVANNA, name), getattr(_WOODLAND, name)
        return np.asarray((dry + share * (green - dry)) * tint, np.float32)

    return Palette(*(mixed(name) for name in Palette.__dataclass_fields__))


def _shade(colour: Field, brightness: float) -> tuple[int, int, int]:
    red, green, blue = (int(value) for value in np.clip(colour * brightness, 0, 255))
    return red, green, blue


def _fixed(points: NDArray[np.floating]) -> NDArray[np.int32]:
    return np.asarray(np.round(points * (1 << _SHIFT)), np.int32)


def tuft(brush: Brush, x: float, y: float, scale: float) -> None:
    image, palette, rng = brush.image, brush.palette, brush.rng
    blades = 9
    base = palette.grass + rng.uniform(-0.5, 0.5) * (palette.soil - palette.leaf) * 0.6
    roots = x + rng.normal(0, 7 * scale, blades)
    tips = roots + rng.normal(0, 13 * scale, blades)
    tall = rng.uniform(10, 42, blades) * scale
    glow = rng.uniform(0.5, 1.22, blades)
    for root, tip, rise, bright in zip(roots, tips, tall, glow, strict=True):
        bend = np.array([[root, y], [root * 0.7 + tip * 0.3, y - rise * 0.6], [tip, y - rise]])
        thickness = 2 if scale > 0.8 and bright > 0.8 else 1
        cv2.polylines(
            image, [_fixed(bend)], False, _shade(base, bright), thickness, cv2.LINE_AA, _SHIFT
        )


def stone(brush: Brush, x: float, y: float, scale: float) -> None:
    image, palette, rng = brush.image, brush.palette, brush.rng
    radius = rng.uniform(10, 46) * scale
    angles = np.sort(rng.uniform(0, 2 * np.pi, 11))
    reach = radius * rng.uniform(0.75, 1.1, 11)
    hull = np.stack([x + np.cos(angles) * reach * 1.35, y + np.sin(angles) * reach * 0.75], axis=1)
    cv2.fillPoly(image, [_fixed(hull)], _shade(palette.stone, 0.62), cv2.LINE_AA, _SHIFT)
    top = np.array([x - radius * 0.12, y - radius * 0.16])
    for size, bright in ((0.86, 0.8), (0.64, 0.98), (0.38, 1.12)):
        facet = top + (hull - top) * size * rng.uniform(0.85, 1.1, (len(hull), 1))
        cv2.fillPoly(image, [_fixed(facet)], _shade(palette.stone, bright), cv2.LINE_AA, _SHIFT)
        top = top - radius * 0.07
    for _ in range(int(radius * 1.2)):
        speck = np.array([x, y]) + rng.normal(0, 0.42, 2) * radius * np.array([1.2, 0.6])
        cv2.circle(
            image,
            _point(speck),
            max(8, int(rng.uniform(0.4, 1.6) * 16 * scale)),
            _shade(palette.stone, rng.uniform(0.5, 1.25)),
            -1,
            cv2.LINE_AA,
            _SHIFT,
        )


def tree(brush: Brush, x: float, y: float, scale: float) -> None:
    image, palette, rng = brush.image, brush.palette, brush.rng
    wide = rng.uniform(22, 52) * scale
    lean = rng.uniform(-50, 50) * scale
    rows = np.linspace(0.0, 1.0, 12)
    centre = x + lean * rows**1.5 + rng.normal(0, 0.08, 12) * wide
    half = wide * 0.5 * (1.25 - 0.5 * rows + 0.9 * np.exp(-rows * 14))
    level = y - rows * (y + 12)
    outline = np.vstack(
        [np.stack([centre - half, level], 1), np.stack([centre + half, level], 1)[::-1]]
    )
    cv2.fillPoly(image, [_fixed(outline)], _shade(palette.bark, 0.82), cv2.LINE_AA, _SHIFT)
    for _ in range(26):
        side = rng.uniform(-0.92, 0.92)
        first = int(rng.integers(0, 9))
        piece = slice(first, first + 4)
        groove = np.stack([centre[piece] + half[piece] * side, level[piece]], 1)
        bright = rng.uniform(0.45, 1.0) * (1.15 - 0.5 * side)
        cv2.polylines(
            image,
            [_fixed(groove + rng.normal(0, 1.2 * scale, groove.shape))],
            False,
            _shade(palette.bark, bright),
            max(1, round(rng.uniform(1, 4) * scale)),
            cv2.LINE_AA,
            _SHIFT,
        )
    for _ in range(3):
        crown = np.array([centre[-3] + rng.normal(0, 90) * scale, rng.uniform(-20, 60) * scale])
        leaves(brush, crown, np.array([70.0, 34.0]) * scale, 90, scale)


def bush(brush: Brush, x: float, y: float, scale: float) -> None:
    spread = np.array([brush.rng.uniform(28, 60), brush.rng.uniform(20, 40)]) * scale
    leaves(brush, np.array([x, y - spread[1]]), spread, 150, scale)


def leaves(
    brush: Brush,
    centre: NDArray[np.floating],
    spread: NDArray[np.floating],
    count: int,
    scale: float,
) -> None:
    """Draw a cloud of leaves, the darker ones behind."""
    image, palette, rng = brush.image, brush.palette, brush.rng
    places = centre + np.clip(rng.normal(0, 0.55, (count, 2)), -1.3, 1.3) * spread
    sizes = rng.uniform(2.5, 6.5, count) * max(scale, 0.3)
    for index, (place, size) in enumerate(zip(places, sizes, strict=True)):
        lit = 0.42 + 0.75 * index / count - 0.22 * (place[1] - centre[1]) / max(spread[1], 1.0)
        cv2.ellipse(
            image,
            _point(place),
            (int(size * 16), int(size * rng.uniform(5, 9))),
            float(rng.uniform(0, 180)),
            0,
            360,
            _shade(palette.leaf, max(0.3, lit) * rng.uniform(0.85, 1.15)),
            -1,
            cv2.LINE_AA,
            _SHIFT,
        )


def _point(place: NDArray[np.floating]) -> tuple[int, int]:
    x, y = (int(value) for value in _fixed(place))
    return x, y

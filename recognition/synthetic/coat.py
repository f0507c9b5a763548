"""Coats of individuals: spots, rosettes and stripes grown from a seed.

A pattern grows as on a real animal, by short-range activation and long-range inhibition (Turing,
"The chemical basis of morphogenesis", 1952), here as a few rounds of a difference of Gaussians with
saturation. Style and wavelength belong to the species, the layout to the seed, so individuals
differ only in the layout.
"""

from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float32]

# Texels are body units: a trunk is about 650 long from rump to poll, 300 around one flank.
TRUNK_SHAPE = (384, 960)
LIMB_SHAPE = (640, 384)
# The pattern grows on a grid coarser by this and is then enlarged: much faster, no less sharp.
_COARSE = 4
_ROUNDS = 9
_FAR = 1.6  # range of the inhibition over that of the activation


class CoatSample(Enum):
    """How a grown field becomes marks."""

    SPOTS = "spots"
    ROSETTES = "rosettes"
    STRIPES = "stripes"


@dataclass(frozen=True)
class Style:
    """The common style of a species' coats.

    `wavelength`: distance between marks, in body units
    """

    reading: CoatSample
    wavelength: float
    limb_wavelength: float


@dataclass(frozen=True)
class Pattern:
    """Marks on one unrolled piece of skin, each [H, W] of 0..1.

    `marks` is the cover with the dark colour, `hearts` with the colour inside of rosettes.
    """

    marks: Field
    hearts: Field


@dataclass(frozen=True)
class Coat:
    """One flank of one individual: its trunk [384, 960] and its limbs [640, 384]."""

    trunk: Pattern
    limbs: Pattern


def grow(style: Style, seed: tuple[int, ...]) -> Coat:
    """Return the coat that grows from a seed; another flank is another seed."""
    rng = np.random.default_rng(seed)
    solid = CoatSample.SPOTS if style.reading is CoatSample.ROSETTES else style.reading
    return Coat(
        trunk=_pattern(TRUNK_SHAPE, style.reading, style.wavelength, rng),
        limbs=_pattern(LIMB_SHAPE, solid, style.limb_wavelength, rng),
    )


def smoothstep(low: float, high: float, values: Field) -> Field:
    """Return 0 below `low`, 1 above `high`, and a smooth ramp between them."""
    ramp = np.clip((values - low) / (high - low), 0.0, 1.0)
    return np.asarray(ramp * ramp * (3.0 - 2.0 * ramp), dtype=np.float32)


def _pattern(
    shape: tuple[int, int],
    reading: CoatSample,
    wavelength: float,
    rng: np.random.Generator,
) -> Pattern:
    field = _grown(shape, wavelength, reading is CoatSample.STRIPES, rng)
    none = np.zeros(shape, np.float32)
    if reading is CoatSample.STRIPES:
        return Pattern(smoothstep(-0.16, 0.12, _bent(field, wavelength, rng)), none)
    if reading is CoatSample.SPOTS:
        return Pattern(smoothstep(-0.45, -0.2, field), none)
    inside = smoothstep(-0.15, 0.05, field)
    gaps = smoothstep(-0.9, -0.55, _noise(shape, wavelength / 3.5, rng))
    ring = smoothstep(-0.8, -0.62, field) * (1.0 - inside) * gaps
    return Pattern(ring, inside)


def _grown(
    shape: tuple[int, int], wavelength: float, striped: bool, rng: np.random.Generator
) -> Field:
    """Return a saturated field in -1..1: islands, or stripes across the body's length."""
    rows, columns = shape[0] // _COARSE, shape[1] // _COARSE
    # A difference of Gaussians of ratio 1.6 prefers waves 5.7 sigma long. Stripes: only one
    # way inhibits, the other just smooths. Islands: a bias keeps the labyrinth apart.
    sigma = wavelength / _COARSE / 5.7
    across, far_across = (sigma * 1.5,) * 2 if striped else (sigma, sigma * _FAR)
    bias = 0.0 if striped else 0.95
    field = rng.standard_normal((rows, columns)).astype(np.float32)
    for _ in range(_ROUNDS):
        near = cv2.GaussianBlur(field, (0, 0), sigma, sigmaY=across)
        far = cv2.GaussianBlur(field, (0, 0), sigma * _FAR, sigmaY=far_across)
        drive = near - far
        field = np.tanh(1.5 * drive / (drive.std() + 1e-6) - bias).astype(np.float32)
    smooth = np.asarray(cv2.GaussianBlur(field, (0, 0), sigma * 0.5), np.float32)
    return _enlarged(smooth, shape)


def _bent(field: Field, wavelength: float, rng: np.random.Generator) -> Field:
    """Return the field moved sideways by a fraction of the wavelength, slowly varying."""
    rows, columns = field.shape
    shift = wavelength * 0.45 * _noise(field.shape, wavelength * 3.0, rng)
    x, y = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
    moved = cv2.remap(field, x + shift, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(moved, np.float32)


def _noise(shape: tuple[int, ...], size: float, rng: np.random.Generator) -> Field:
    """Return smooth noise of unit deviation whose features are about `size` wide."""
    grid = max(2, round(shape[0] / size)) + 2, max(2, round(shape[1] / size)) + 2
    return _enlarged(rng.standard_normal(grid).astype(np.float32), shape)


def _enlarged(field: Field, shape: tuple[int, ...]) -> Field:
    enlarged = cv2.resize(field, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray(enlarged, np.float32)

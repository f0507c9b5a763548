"""Species that can be drawn: a build, a style of coat, and colours."""

from dataclasses import dataclass

from recognition.synthetic.build import CAT, HORSE, Build
from recognition.synthetic.coat import CoatSample, Style

Colour = tuple[int, int, int]  # RGB


@dataclass(frozen=True)
class Species:
    """What all individuals of one species share."""

    build: Build
    style: Style
    size: float  # of the body in the picture, against a leopard's
    back: Colour
    flank: Colour
    belly: Colour
    mark: Colour
    heart: Colour
    muzzle: Colour
    eye: Colour


SPECIES = {
    "drawn leopard": Species(
        build=CAT,
        style=Style(CoatSample.ROSETTES, wavelength=58, limb_wavelength=29),
        size=1.0,
        back=(186, 130, 68),
        flank=(216, 168, 100),
        belly=(243, 231, 208),
        mark=(36, 26, 20),
        heart=(166, 106, 50),
        muzzle=(236, 216, 184),
        eye=(196, 178, 80),
    ),
    "drawn cheetah": Species(
        build=CAT,
        style=Style(CoatSample.SPOTS, wavelength=50, limb_wavelength=32),
        size=1.0,
        back=(206, 158, 92),
        flank=(228, 190, 130),
        belly=(247, 238, 220),
        mark=(32, 25, 21),
        heart=(206, 158, 92),
        muzzle=(240, 226, 204),
        eye=(190, 130, 50),
    ),
    "drawn zebra": Species(
        build=HORSE,
        style=Style(CoatSample.STRIPES, wavelength=56, limb_wavelength=36),
        size=1.1,
        back=(226, 219, 206),
        flank=(238, 234, 225),
        belly=(246, 244, 238),
        mark=(36, 31, 31),
        heart=(120, 105, 95),
        muzzle=(58, 48, 46),
        eye=(40, 28, 22),
    ),
}

"""Draws matches over pictures: lines from keypoint to keypoint."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Picture = NDArray[np.uint8]
Points = NDArray[np.float64]
Colour = tuple[int, int, int]

# From uncertain to certain; also different in lightness for colour-blind readers.
UNSURE, SURE = (0, 90, 160), (255, 221, 51)
PAPER, INK, FAINT = (250, 249, 246), (38, 38, 36), (122, 120, 114)
# A match that does not count.
PALE = (150, 150, 146)
# Pillow's lines are not antialiased: draw this many times larger, and scale down.
_FINER = 3
_OPACITY = 190


@dataclass(frozen=True)
class Cell:
    """A part of a sheet, in its pixels."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True, eq=False)
class Seat:
    """The position of a picture on a sheet."""

    left: float
    top: float
    width: float
    height: float

    def at(self, fractions: NDArray[np.float64]) -> Points:
        """Return positions in the picture, fractions [M, 2], in pixels of the sheet."""
        return np.asarray(fractions * [self.width, self.height] + [self.left, self.top])


def paste(sheet: Image.Image, picture: Picture, cell: Cell) -> Seat:
    """Put a picture, uint8 [H, W, 3], into the centre of its cell, as large as fits."""
    height, width = picture.shape[:2]
    scale = min(cell.width / width, cell.height / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    left = cell.left + (cell.width - size[0]) // 2
    top = cell.top + (cell.height - size[1]) // 2
    sheet.paste(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS), (left, top))
    return Seat(left, top, *size)


def join(
    sheet: Image.Image,
    cell: Cell,
    ends: tuple[Points, Points],
    colours: Sequence[Colour],
    *,
    line: int = 2,
    spot: int = 0,
) -> None:
    """Draw lines between the points [M, 2] of two pictures over a cell, the last on top.

    `line` is their width, `spot` the radius of a dot at each end; 0: none.
    """
    large = Image.new("RGBA", (cell.width * _FINER, cell.height * _FINER))
    pen = ImageDraw.Draw(large)
    corner = np.array([cell.left, cell.top])
    for start, end, colour in zip(*ends, colours, strict=True):
        points = [tuple((point - corner) * _FINER) for point in (start, end)]
        pen.line(points, (*colour, _OPACITY), line * _FINER)
        for x, y in points if spot else ():
            reach = spot * _FINER
            pen.ellipse((x - reach, y - reach, x + reach, y + reach), (*colour, 255))
    overlay = large.resize((cell.width, cell.height), Image.Resampling.LANCZOS)
    sheet.paste(overlay, (cell.left, cell.top), overlay)


def legend(sheet: Image.Image, end: int, baseline: int, unsure: str = "unsure") -> None:
    """Write the legend of colours, ending at `end` on a line of text, in the sheet's pixels."""
    pen = ImageDraw.Draw(sheet)
    pen.text((end, baseline), "sure", FAINT, font(15), anchor="rs")
    for step in range(60):
        x = end - 100 + step
        pen.line((x, baseline - 12, x, baseline - 1), by_confidence(step / 59))
    pen.text((end - 106, baseline), unsure, FAINT, font(15), anchor="rs")


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the font of all pictures."""
    return ImageFont.load_default(size)


def by_confidence(score: float) -> Colour:
    """Return the colour of a match with a confidence of 0..1."""
    share = min(1.0, max(0.0, score))
    red, green, blue = (
        round(low + share * (high - low)) for low, high in zip(UNSURE, SURE, strict=True)
    )
    return red, green, blue

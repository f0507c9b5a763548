"""The gravest mistakes, pictured: what a query was taken for, and on which matches.

A row: the query and the wrong individual's picture, joined by their matches, then the
right individual's best picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]

_PAPER, _INK, _FAINT = (250, 249, 246), (38, 38, 36), (122, 120, 114)
# From an unsure match to a sure one; colour-blind readers tell them apart by lightness.
_UNSURE, _SURE = (0, 90, 160), (255, 221, 51)
_WIDTH, _HEIGHT, _MARGIN, _GAP, _APART = 460, 345, 28, 6, 34
_HEADER, _CAPTION, _ROW_GAP = 92, 30, 22
_LINE, _SPOT = 2, 4
# Pillow's lines have hard edges: drawn so many times larger, and scaled down.
_FINER = 3


@dataclass(frozen=True, eq=False)
class Mistake:
    """One query that was taken for another animal.

    query, wrong, right: uint8 [H, W, 3], RGB; `right` is None for an unknown query, or
        where no picture of the right individual was among the candidates
    query_positions, wrong_positions: float [M, 2], the matched keypoints, x and y in
        pixels of `query` and of `wrong`
    scores: float [M], 0..1, each match's confidence
    captions: what to write below query, wrong and right picture

    Raises:
        ValueError: the matches' shapes disagree.
    """

    query: Picture
    wrong: Picture
    right: Picture | None
    query_positions: NDArray[np.float32]
    wrong_positions: NDArray[np.float32]
    scores: NDArray[np.float32]
    captions: tuple[str, str, str]

    def __post_init__(self) -> None:
        shapes = self.query_positions.shape, self.wrong_positions.shape
        if set(shapes) != {(len(self.scores), 2)}:
            raise ValueError(f"{len(self.scores)} matches with positions {shapes[0]}, {shapes[1]}")


def sheet(mistakes: Sequence[Mistake], target: Path, title: str) -> None:
    """Draw the mistakes into one PNG, 1,500 pixels wide, a row each.

    Raises:
        ValueError: there are no mistakes.
        OSError: `target` can't be written.
    """
    if not mistakes:
        raise ValueError("there are no mistakes to draw")
    pitch = _HEIGHT + _CAPTION + _ROW_GAP
    width = 2 * _MARGIN + 3 * _WIDTH + _GAP + _APART
    drawn = Image.new("RGB", (width, _HEADER + len(mistakes) * pitch), _PAPER)
    _draw_header(drawn, title)
    for number, mistake in enumerate(mistakes):
        _draw_row(drawn, mistake, _HEADER + number * pitch)
    drawn.save(target, format="PNG", optimize=True)


def _draw_header(drawn: Image.Image, title: str) -> None:
    pen = ImageDraw.Draw(drawn)
    pen.text((_MARGIN, 42), title, _INK, _font(26), anchor="ls")
    lefts = [_left(column) for column in range(3)]
    for left, name in zip(lefts, ("query", "taken for", "right individual"), strict=True):
        pen.text((left, 78), name, _FAINT, _font(17), anchor="ls")
    end = lefts[1] + _WIDTH
    pen.text((end, 78), "sure", _FAINT, _font(15), anchor="rs")
    for step in range(60):
        pen.line((end - 100 + step, 66, end - 100 + step, 77), _colour(step / 59))
    pen.text((end - 106, 78), "matches: unsure", _FAINT, _font(15), anchor="rs")


def _draw_row(drawn: Image.Image, mistake: Mistake, top: int) -> None:
    pen = ImageDraw.Draw(drawn)
    seats = [
        _paste(drawn, picture, (_left(column), top))
        for column, picture in enumerate((mistake.query, mistake.wrong))
    ]
    if mistake.right is not None:
        _paste(drawn, mistake.right, (_left(2), top))
    ends = [
        seat.at(positions)
        for seat, positions in zip(
            seats, (mistake.query_positions, mistake.wrong_positions), strict=True
        )
    ]
    _join(drawn, ends[0], ends[1], mistake.scores, top)
    for column, caption in enumerate(mistake.captions):
        where = (_left(column), top + _HEIGHT + 21)
        pen.text(where, _fitted(pen, caption), _INK, _font(16), anchor="ls")


@dataclass(frozen=True)
class _Seat:
    """Where a picture lies on the sheet."""

    left: float
    top: float
    scale: float

    def at(self, positions: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return pixels of the picture as pixels of the sheet, float64 [M, 2]."""
        return np.asarray(positions * self.scale + np.array([self.left, self.top]))


def _paste(drawn: Image.Image, picture: Picture, corner: tuple[int, int]) -> _Seat:
    """Put a picture into the middle of its cell, as large as fits."""
    height, width = picture.shape[:2]
    scale = min(_WIDTH / width, _HEIGHT / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = corner[0] + (_WIDTH - size[0]) // 2, corner[1] + (_HEIGHT - size[1]) // 2
    shown = Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS)
    drawn.paste(shown, (left, top))
    return _Seat(left, top, scale)


def _join(
    drawn: Image.Image,
    starts: NDArray[np.float64],
    ends: NDArray[np.float64],
    scores: NDArray[np.float32],
    top: int,
) -> None:
    """Draw the matches over the first two cells of a row, the surest on top."""
    span = 2 * _WIDTH + _GAP, _HEIGHT
    large = Image.new("RGBA", (span[0] * _FINER, span[1] * _FINER))
    pen = ImageDraw.Draw(large)
    origin = np.array([_left(0), top])
    for index in np.argsort(scores, kind="stable"):
        line = [tuple((point[index] - origin) * _FINER) for point in (starts, ends)]
        colour = _colour(float(scores[index]))
        pen.line(line, (*colour, 190), _LINE * _FINER)
        for x, y in line:
            reach = _SPOT * _FINER
            pen.ellipse((x - reach, y - reach, x + reach, y + reach), (*colour, 255))
    overlay = large.resize(span, Image.Resampling.LANCZOS)
    drawn.paste(overlay, (_left(0), top), overlay)


def _left(column: int) -> int:
    return _MARGIN + column * _WIDTH + (0, _GAP, _GAP + _APART)[column]


def _colour(score: float) -> Colour:
    share = min(1.0, max(0.0, score))
    red, green, blue = (
        round(low + share * (high - low)) for low, high in zip(_UNSURE, _SURE, strict=True)
    )
    return red, green, blue


def _fitted(pen: ImageDraw.ImageDraw, text: str) -> str:
    """Return the text, cut at its end where it is wider than a picture."""
    short = text
    while pen.textlength(short, _font(16)) > _WIDTH:
        short = f"{short.rstrip('…')[:-1]}…"
    return short


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)

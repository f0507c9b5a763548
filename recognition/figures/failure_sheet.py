"""Sheets of the worst errors: the query, the wrong individual, and their matches.

A row: the query and the wrong individual's picture, joined by their matches, then the right
    individual's best picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from recognition.figures.match_lines import (
    FAINT,
    INK,
    PAPER,
    Cell,
    Picture,
    Points,
    by_confidence,
    font,
    join,
    legend,
    paste,
)

_WIDTH, _HEIGHT, _MARGIN, _GAP, _APART = 460, 345, 28, 6, 34
_HEADER, _CAPTION, _ROW_GAP = 92, 30, 22
_SPOT = 4


@dataclass(frozen=True, eq=False)
class FailureCase:
    """One query taken for another animal.

    query, wrong, right: uint8 [H, W, 3], RGB; `right` is None for an unknown query, or if no
        picture of the right individual was a candidate
    query_positions, wrong_positions: float [M, 2], the matched keypoints, x and y as fractions of
        `query` and of `wrong`
    scores: float [M], 0..1, each match's confidence
    captions: texts below query, wrong and right picture

    Raises:
        ValueError: the matches' shapes disagree.
    """

    query: Picture
    wrong: Picture
    right: Picture | None
    query_positions: Points
    wrong_positions: Points
    scores: NDArray[np.float32]
    captions: tuple[str, str, str]

    def __post_init__(self) -> None:
        shapes = self.query_positions.shape, self.wrong_positions.shape
        if set(shapes) != {(len(self.scores), 2)}:
            raise ValueError(f"{len(self.scores)} matches with positions {shapes[0]}, {shapes[1]}")


def sheet(cases: Sequence[FailureCase], target: Path, title: str) -> None:
    """Draw the errors into one PNG, 1,500 pixels wide, a row each.

    Raises:
        ValueError: there are no errors.
        OSError: `target` can't be written.
    """
    if not cases:
        raise ValueError("there are no errors to draw")
    pitch = _HEIGHT + _CAPTION + _ROW_GAP
    width = 2 * _MARGIN + 3 * _WIDTH + _GAP + _APART
    drawn = Image.new("RGB", (width, _HEADER + len(cases) * pitch), PAPER)
    _draw_header(drawn, title)
    for number, case in enumerate(cases):
        _draw_row(drawn, case, _HEADER + number * pitch)
    drawn.save(target, format="PNG", optimize=True)


def _draw_header(drawn: Image.Image, title: str) -> None:
    pen = ImageDraw.Draw(drawn)
    pen.text((_MARGIN, 42), title, INK, font(26), anchor="ls")
    lefts = [_left(column) for column in range(3)]
    for left, name in zip(lefts, ("query", "taken for", "right individual"), strict=True):
        pen.text((left, 78), name, FAINT, font(17), anchor="ls")
    end = lefts[1] + _WIDTH
    legend(drawn, end, 78, "matches: unsure")


def _draw_row(drawn: Image.Image, case: FailureCase, top: int) -> None:
    pen = ImageDraw.Draw(drawn)
    query, wrong = (
        paste(drawn, picture, Cell(_left(column), top, _WIDTH, _HEIGHT))
        for column, picture in enumerate((case.query, case.wrong))
    )
    if case.right is not None:
        paste(drawn, case.right, Cell(_left(2), top, _WIDTH, _HEIGHT))
    surest_last = np.argsort(case.scores, kind="stable")
    join(
        drawn,
        Cell(_left(0), top, 2 * _WIDTH + _GAP, _HEIGHT),
        (
            query.at(case.query_positions[surest_last]),
            wrong.at(case.wrong_positions[surest_last]),
        ),
        [by_confidence(float(score)) for score in case.scores[surest_last]],
        spot=_SPOT,
    )
    for column, caption in enumerate(case.captions):
        where = (_left(column), top + _HEIGHT + 21)
        pen.text(where, _fitted(pen, caption), INK, font(16), anchor="ls")


def _left(column: int) -> int:
    return _MARGIN + column * _WIDTH + (0, _GAP, _GAP + _APART)[column]


def _fitted(pen: ImageDraw.ImageDraw, text: str) -> str:
    """Return the text, truncated to a picture's width."""
    short = text
    while pen.textlength(short, font(16)) > _WIDTH:
        short = f"{short.rstrip('…')[:-1]}…"
    return short

"""Draws the matches of two pictures."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from recognition.figures.match_lines import (
    FAINT,
    INK,
    PALE,
    PAPER,
    Cell,
    Colour,
    Picture,
    by_confidence,
    font,
    join,
    legend,
    paste,
)
from services.matcher.explanation import Explanation, summary

_WIDTH, _HEIGHT, _MARGIN, _GAP, _FOOT = 640, 480, 28, 8, 84


def draw(
    explanation: Explanation,
    pictures: tuple[Picture, Picture],
    captions: tuple[str, str],
    target: Path,
) -> None:
    """Write the two pictures with their matches as a PNG.

    Inliers of one homography are coloured by confidence, the others are thin; grey ones are outside
    the animals and do not count.

    Raises:
        OSError: `target` can't be written.
    """
    width = 2 * (_MARGIN + _WIDTH) + _GAP
    sheet = Image.new("RGB", (width, _HEIGHT + _MARGIN + _FOOT), PAPER)
    seats = [
        paste(sheet, picture, Cell(_MARGIN + side * (_WIDTH + _GAP), _MARGIN, _WIDTH, _HEIGHT))
        for side, picture in enumerate(pictures)
    ]
    ends = seats[0].at(explanation.ends[0]), seats[1].at(explanation.ends[1])
    over = Cell(_MARGIN, _MARGIN, 2 * _WIDTH + _GAP, _HEIGHT)
    colours = [
        by_confidence(float(score)) if counts else PALE
        for score, counts in zip(explanation.confidence, explanation.counts, strict=True)
    ]
    surest_last = np.argsort(explanation.confidence, kind="stable")
    for kept, line, spot in (
        (~explanation.counts, 1, 0),
        (explanation.counts & ~explanation.inlier, 1, 2),
        (explanation.inlier, 2, 4),
    ):
        order = surest_last[kept[surest_last]]
        chosen: list[Colour] = [colours[index] for index in order]
        join(sheet, over, (ends[0][order], ends[1][order]), chosen, line=line, spot=spot)
    _write(sheet, explanation, captions)
    target.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(target, format="PNG", optimize=True)


def _write(sheet: Image.Image, explanation: Explanation, captions: tuple[str, str]) -> None:
    pen = ImageDraw.Draw(sheet)
    top = _MARGIN + _HEIGHT + 24
    for side, caption in enumerate(captions):
        where = (_MARGIN + side * (_WIDTH + _GAP), top)
        pen.text(where, caption, INK, font(17), anchor="ls")
    pen.text((_MARGIN, top + 32), summary(explanation), FAINT, font(15), anchor="ls")
    legend(sheet, _MARGIN + 2 * _WIDTH + _GAP, top + 32)

"""Contact sheet: all decisions at a glance, one row per individual."""

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from services.registry.identity.entry import OutcomeName

Colour = tuple[int, int, int]

MOST_ROWS = 40
MOST_COLUMNS = 12
# Rows of sightings without individual are limited, so that they do not displace individuals.
_NOBODY: dict[OutcomeName, int] = {"review": 6, "unidentifiable": 1}

_PAPER, _INK, _FAINT, _BAND = (250, 249, 246), (38, 38, 36), (122, 120, 114), (241, 239, 233)
_WRONG, _TENTATIVE = (205, 43, 49), (158, 100, 10)
_FRAMES: dict[OutcomeName, Colour] = {
    "new": (47, 111, 178),
    "known": (74, 150, 92),
    "review": (226, 158, 42),
    "unidentifiable": (128, 110, 160),
}
_MEANING: dict[OutcomeName, str] = {
    "new": "new individual",
    "known": "known individual",
    "review": "in doubt",
    "unidentifiable": "unidentifiable",
}
_THUMB_WIDTH, _THUMB_HEIGHT, _FRAME, _GAP = 138, 90, 4, 8
_ENDING = 5  # characters of an ID's number with its dash
_MARGIN, _LABEL, _HEADER, _FOOTER = 28, 176, 96, 34
_CELL = _THUMB_WIDTH + 2 * _FRAME + _GAP
_PITCH = _THUMB_HEIGHT + 2 * _FRAME + 2 * _GAP


@dataclass(frozen=True)
class Thumbnail:
    """One sighting: its crop as an encoded image, its outcome and, if known, its true label."""

    crop: bytes
    outcome: OutcomeName
    label: str | None = None


@dataclass(frozen=True)
class Row:
    """One individual's sightings in decision order.

    `individual` is None for sightings without one; those rows come last. `rivals` are others that
    it may be, with their probabilities, likeliest first.
    """

    individual: str | None
    thumbnails: Sequence[Thumbnail]
    rivals: Sequence[tuple[str, float]] = ()


@dataclass(frozen=True)
class _Line:
    """One line of the sheet: thumbnails that fit, and whether each one is wrong."""

    title: str
    subtitle: str
    cells: Sequence[tuple[Thumbnail, bool]]
    left_out: int
    question: str = ""


def contact_sheet(rows: Sequence[Row], target: Path, *, title: str = "Resight") -> None:
    """Draw the rows into a PNG.

    Frames show the outcome. A bar at the left marks a tentative individual. A red corner marks a
    sighting whose label differs from most in its row. What does not fit on 40 rows of 12 is
    counted, not shown.

    Raises:
        OSError: a crop is not an image, or `target` can't be written.
    """
    nobodys = [each for row in rows if row.individual is None for each in row.thumbnails]
    last = [line for outcome in _NOBODY for line in _nobodys(outcome, nobodys)]
    individuals = [_individual(row) for row in rows if row.individual is not None]
    room_left = MOST_ROWS - len(last)
    lines, dropped = individuals[:room_left] + last, individuals[room_left:]
    columns = max((len(line.cells) for line in lines), default=1)
    room = max(columns, 5) * _CELL + (70 if any(line.left_out for line in lines) else 0)
    width = 2 * _MARGIN + _LABEL + room
    footer = _FOOTER if dropped else 0
    height = _HEADER + len(lines) * _PITCH + footer + _MARGIN
    sheet = Image.new("RGB", (width, height), _PAPER)
    pen = ImageDraw.Draw(sheet)
    _draw_header(pen, title, rows, width)
    for number, line in enumerate(lines):
        _draw_line(sheet, pen, line, _HEADER + number * _PITCH, striped=number % 2 == 0)
    if dropped:
        sightings = sum(len(line.cells) + line.left_out for line in dropped)
        text = f"+ {_count(len(dropped), 'more individual')} with {_count(sightings, 'sighting')}"
        pen.text((_MARGIN, height - _MARGIN - 8), text, _FAINT, _font(15), anchor="ls")
    sheet.save(target, format="PNG", optimize=True)


def _individual(row: Row) -> _Line:
    """Return the line of an individual."""
    labels = Counter(thumb.label for thumb in row.thumbnails if thumb.label is not None)
    usual = labels.most_common(1)[0][0] if labels else None
    cells = [(thumb, thumb.label not in (None, usual)) for thumb in row.thumbnails]
    return _Line(
        title=str(row.individual),
        subtitle=_count(len(cells), "sighting"),
        cells=cells[:MOST_COLUMNS],
        left_out=max(0, len(cells) - MOST_COLUMNS),
        question=_doubt(row),
    )


def _doubt(row: Row) -> str:
    """Return whom a tentative individual may be, with its ID shortened as far as possible."""
    if not row.rivals:
        return ""
    name, probability = row.rivals[0]
    return f"may be {name[1 - _ENDING :]} ({probability:.2f})"


def _nobodys(outcome: OutcomeName, every: Sequence[Thumbnail]) -> list[_Line]:
    """Return lines for sightings of an outcome without individual, within limits."""
    thumbnails = [each for each in every if each.outcome == outcome]
    most = _NOBODY[outcome] * MOST_COLUMNS
    beyond = max(0, len(thumbnails) - most)
    starts = range(0, min(len(thumbnails), most), MOST_COLUMNS)
    return [
        _Line(
            title="" if start else outcome,
            subtitle="" if start else _count(len(thumbnails), "sighting"),
            cells=[(each, False) for each in thumbnails[start : start + MOST_COLUMNS]],
            left_out=beyond if start == starts[-1] else 0,
        )
        for start in starts
    ]


def _draw_header(pen: ImageDraw.ImageDraw, title: str, rows: Sequence[Row], width: int) -> None:
    outcomes = Counter(thumb.outcome for row in rows for thumb in row.thumbnails)
    individuals = sum(row.individual is not None for row in rows)
    pen.text((_MARGIN, 40), title, _INK, _font(28), anchor="ls")
    summary = f"{_count(individuals, 'individual')}, {_count(outcomes.total(), 'sighting')}"
    pen.text((width - _MARGIN, 40), summary, _FAINT, _font(17), anchor="rs")
    x = float(_MARGIN)
    for outcome, colour in _FRAMES.items():
        if outcome == "unidentifiable" and not outcomes[outcome]:
            continue
        pen.rectangle((x, 60, x + 16, 76), outline=colour, width=_FRAME)
        text = f"{_MEANING[outcome]} ({outcomes[outcome]})"
        pen.text((x + 24, 74), text, _INK, _font(15), anchor="ls")
        x += 24 + pen.textlength(text, _font(15)) + 26
    if any(thumb.label is not None for row in rows for thumb in row.thumbnails):
        pen.polygon([(x, 60), (x + 16, 60), (x + 16, 76)], fill=_WRONG)
        pen.text((x + 24, 74), "another animal than most in its row", _INK, _font(15), anchor="ls")


def _draw_line(
    sheet: Image.Image, pen: ImageDraw.ImageDraw, line: _Line, top: int, *, striped: bool
) -> None:
    if striped:
        pen.rectangle((0, top, sheet.width, top + _PITCH - 1), fill=_BAND)
    middle = top + _PITCH // 2
    pen.text((_MARGIN, middle - 2), _fitted(pen, line.title), _INK, _font(17), anchor="ls")
    pen.text((_MARGIN, middle + 19), line.subtitle, _FAINT, _font(14), anchor="ls")
    if line.question:
        pen.text((_MARGIN, middle + 39), line.question, _TENTATIVE, _font(14), anchor="ls")
        pen.rectangle((0, top, _MARGIN // 4, top + _PITCH - 1), fill=_FRAMES["review"])
    x = _MARGIN + _LABEL
    for thumb, wrong in line.cells:
        _draw_thumbnail(sheet, pen, thumb, (x, top + _GAP), wrong=wrong)
        x += _CELL
    if line.left_out:
        pen.text((x + 4, middle), f"+ {line.left_out} more", _FAINT, _font(15), anchor="lm")


def _draw_thumbnail(
    sheet: Image.Image,
    pen: ImageDraw.ImageDraw,
    thumb: Thumbnail,
    corner: tuple[int, int],
    *,
    wrong: bool,
) -> None:
    x, y = corner
    right, bottom = x + _THUMB_WIDTH + 2 * _FRAME, y + _THUMB_HEIGHT + 2 * _FRAME
    pen.rectangle((x, y, right - 1, bottom - 1), fill=_FRAMES[thumb.outcome])
    with Image.open(io.BytesIO(thumb.crop)) as crop:
        size = _THUMB_WIDTH, _THUMB_HEIGHT
        crop.draft("RGB", (2 * size[0], 2 * size[1]))
        upright = ImageOps.exif_transpose(crop).convert("RGB")
        whole = ImageOps.pad(upright, size, Image.Resampling.LANCZOS, color=(58, 58, 56))
    sheet.paste(whole, (x + _FRAME, y + _FRAME))
    if wrong:
        pen.polygon([(right - 34, y), (right - 1, y), (right - 1, y + 33)], fill=_WRONG)


def _fitted(pen: ImageDraw.ImageDraw, text: str) -> str:
    """Return the text, shortened in its middle to the width of the labels' column.

    The end of an ID is its distinguishing number.
    """
    end = text[-_ENDING:]
    start, short = text[:-_ENDING], text
    while start and pen.textlength(short, _font(17)) > _LABEL - 12:
        start = start[:-1]
        short = f"{start}…{end}"
    return short


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" + ("" if number == 1 else "s")


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)

"""The contact sheet: what it shows, marks and leaves out."""

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from resight.reports.contact_sheet import (
    MOST_COLUMNS,
    MOST_ROWS,
    Row,
    Thumbnail,
    _doubt,
    _fitted,
    contact_sheet,
)
from services.registry.identity.entry import OutcomeName

FRAMES = {
    "new": (47, 111, 178),
    "known": (74, 150, 92),
    "review": (226, 158, 42),
    "unidentifiable": (128, 110, 160),
}
WRONG = (205, 43, 49)
HEADER = 84  # the legend shows every colour, the rows begin below it


def _crop(colour: tuple[int, int, int] = (10, 200, 90), size: tuple[int, int] = (80, 60)) -> bytes:
    encoded = io.BytesIO()
    Image.new("RGB", size, colour).save(encoded, format="PNG")
    return encoded.getvalue()


CROP = _crop()


def _row(individual: str | None, *labels: str | None, outcome: OutcomeName = "known") -> Row:
    return Row(individual, [Thumbnail(CROP, outcome, label) for label in labels])


def _sheet(rows: list[Row], target: Path) -> NDArray[np.uint8]:
    contact_sheet(rows, target)
    with Image.open(target) as sheet:
        assert sheet.format == "PNG"
        return np.asarray(sheet.convert("RGB"))


def _count(sheet: NDArray[np.uint8], colour: tuple[int, int, int]) -> int:
    return int((sheet[HEADER:] == colour).all(axis=2).sum())


@pytest.mark.parametrize("outcome", ["new", "known", "review", "unidentifiable"])
def test_the_frame_tells_the_outcome(outcome: OutcomeName, tmp_path: Path) -> None:
    individual = "L-1" if outcome in ("new", "known") else None
    sheet = _sheet([_row(individual, None, outcome=outcome)], tmp_path / "sheet.png")
    assert {name for name, colour in FRAMES.items() if _count(sheet, colour)} == {outcome}


def test_a_corner_marks_each_sighting_unlike_most_of_its_row(tmp_path: Path) -> None:
    none = _sheet([_row("L-1", "x", "x", None)], tmp_path / "none.png")
    one = _sheet([_row("L-1", "x", "y", "x")], tmp_path / "one.png")
    two = _sheet([_row("L-1", "y", "x", "x", "x", "z")], tmp_path / "two.png")
    assert _count(none, WRONG) == 0
    assert _count(one, WRONG) > 300
    assert _count(two, WRONG) == 2 * _count(one, WRONG)


def test_sightings_for_review_are_never_marked_as_wrong(tmp_path: Path) -> None:
    sheet = _sheet([_row(None, "x", "y", "z", outcome="review")], tmp_path / "sheet.png")
    assert _count(sheet, WRONG) == 0


def test_sightings_for_review_come_after_individuals_and_what_shows_nothing_last(
    tmp_path: Path,
) -> None:
    without = [_row(None, None, outcome="unidentifiable"), _row(None, None, outcome="review")]
    sheet = _sheet([*without, _row("L-1", None), _row("L-2", None)], tmp_path / "sheet.png")
    known, review, nothing = (
        np.argwhere((sheet[HEADER:] == FRAMES[outcome]).all(axis=2))[:, 0]
        for outcome in ("known", "review", "unidentifiable")
    )
    assert review.min() > known.max()
    assert nothing.min() > review.max()


def test_a_long_row_is_cut_and_says_so(tmp_path: Path) -> None:
    full = _sheet([_row("L-1", *[None] * MOST_COLUMNS)], tmp_path / "full.png")
    cut = _sheet([_row("L-1", *[None] * (MOST_COLUMNS + 7))], tmp_path / "cut.png")
    assert _count(cut, FRAMES["known"]) == _count(full, FRAMES["known"])
    said = cut[HEADER:, full.shape[1] - 30 :]
    assert cut.shape[1] > full.shape[1]
    assert (said != said[0, -1]).any(axis=2).sum() > 50


def test_more_individuals_than_rows_leave_room_for_review_and_are_counted(tmp_path: Path) -> None:
    individuals = [_row(f"L-{number}", None) for number in range(MOST_ROWS + 5)]
    full = _sheet(individuals[:MOST_ROWS], tmp_path / "full.png")
    blank = _row(None, *[None] * 3 * MOST_COLUMNS, outcome="unidentifiable")
    cut = _sheet([*individuals, _row(None, None, outcome="review"), blank], tmp_path / "cut.png")
    frame = _count(full, FRAMES["known"]) // MOST_ROWS
    assert _count(cut, FRAMES["known"]) == (MOST_ROWS - 2) * frame
    assert _count(cut, FRAMES["review"]) == frame
    assert _count(cut, FRAMES["unidentifiable"]) == MOST_COLUMNS * frame
    assert cut.shape[0] > full.shape[0]
    # The line at the end that counts what is not shown.
    assert (cut[-60:] < 150).all(axis=2).any()


def test_crops_are_shown_whole_whatever_their_shape(tmp_path: Path) -> None:
    for size in ((300, 20), (20, 300)):
        row = Row("L-1", [Thumbnail(_crop((10, 200, 90), size), "new")])
        sheet = _sheet([row], tmp_path / f"{size[0]}.png")
        shown = np.argwhere((sheet == (10, 200, 90)).all(axis=2))
        height, width = np.ptp(shown, axis=0) + 1
        assert max(width / height, height / width) > 8


def test_a_row_that_may_be_another_one_is_marked_and_says_which(tmp_path: Path) -> None:
    sure = _row("L-0001", None, None)
    plain = _sheet([sure], tmp_path / "sure.png")
    tentative = Row(sure.individual, sure.thumbnails, [("L-0012", 0.7), ("L-0002", 0.2)])
    marked = _sheet([tentative], tmp_path / "tentative.png")
    bar = marked[HEADER:, 0]
    assert (bar == FRAMES["review"]).all(axis=1).any()
    assert not (plain[HEADER:, 0] == FRAMES["review"]).all(axis=1).any()
    assert _doubt(tentative) == "may be 0012 (0.70)"
    assert _doubt(sure) == ""


def test_an_empty_sheet_is_still_a_picture(tmp_path: Path) -> None:
    assert _sheet([], tmp_path / "sheet.png").shape[1] > 400


def test_a_very_long_id_stays_in_its_column(tmp_path: Path) -> None:
    sheet = _sheet([_row("L" * 80, None)], tmp_path / "long.png")
    short = _sheet([_row("L", None)], tmp_path / "short.png")
    assert sheet.shape == short.shape
    assert np.array_equal(sheet[HEADER:, 200:], short[HEADER:, 200:])


def test_a_long_name_keeps_the_number_at_its_end() -> None:
    pen = ImageDraw.Draw(Image.new("RGB", (8, 8)))
    short = _fitted(pen, "plains-grevy-zebra-of-the-north-0012")
    assert short.startswith("plains")
    assert short.endswith("…-0012")
    assert _fitted(pen, "nyala-0012") == "nyala-0012"

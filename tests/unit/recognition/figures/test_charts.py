"""Charts show the numbers, and the sheet of mistakes its matches."""

from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from recognition.evaluation.predictions import Prediction, probabilities, right
from recognition.evaluation.reliability import bins
from recognition.figures.charts import (
    known_against_unknown,
    probability_histograms,
    rank_curves,
    reliability_diagram,
    save,
)
from recognition.figures.failure_sheet import FailureCase, sheet
from shared.messages import OUTCOME_KNOWN, OUTCOME_NEW, Thresholds

SUBJECT = "drawn zebras, open split, 40 queries"
GREY = np.full((120, 200, 3), 128, dtype=np.uint8)


def answers() -> list[Prediction]:
    rng = np.random.default_rng(5)
    found = []
    for _ in range(20):
        sure, unsure = rng.uniform(0.3, 1), rng.uniform(0, 0.7)
        first = "ann" if sure > 0.5 else "bob"
        outcome = OUTCOME_KNOWN if sure > 0.6 else OUTCOME_NEW
        found.append(Prediction("ann", True, first, sure, outcome))
        found.append(Prediction("x", False, "ann", unsure, OUTCOME_NEW))
    return found


def figures() -> dict[str, Callable[[], Figure]]:
    found = answers()
    curves = {name: np.linspace(0.4, 1, 30) for name in ("embedding", "fusion")}
    kept = bins(probabilities(found), right(found))
    return {
        "R-1 0.400": lambda: rank_curves(curves, SUBJECT),
        "AUROC 0.": lambda: known_against_unknown(found, SUBJECT),
        "10 bins of 4 to 4 answers": lambda: reliability_diagram(kept, SUBJECT),
        "known from 0.60": lambda: probability_histograms(
            found, Thresholds(known=0.6, new=0.2), SUBJECT
        ),
    }


def texts(figure: Figure) -> str:
    # The title of a figure with several panels is no text of any of them.
    found = [figure.get_suptitle()]
    for axes in figure.axes:
        legend = axes.get_legend()
        found.append(axes.get_title(loc="left"))
        found += [text.get_text() for text in legend.get_texts()] if legend else []
    return "\n".join(found)


@pytest.mark.parametrize("number", list(figures()))
def test_a_chart_names_its_subject_and_its_numbers(number: str, tmp_path: Path) -> None:
    figure = figures()[number]()
    assert SUBJECT in texts(figure)
    assert number in texts(figure)
    save(figure, tmp_path / "chart.png")
    with Image.open(tmp_path / "chart.png") as drawn:
        assert drawn.width == 2000


def test_drawing_leaves_the_process_as_it_was() -> None:
    with matplotlib.rc_context({"font.size": 7.0}):
        rank_curves({"embedding": np.array([0.5])}, SUBJECT)
        assert matplotlib.rcParams["font.size"] == 7


def mistake(matches: int, *, right: bool = True) -> FailureCase:
    positions = np.linspace(0.1, 0.5, 2 * matches).reshape(matches, 2)
    scores = np.linspace(0, 1, matches, dtype=np.float32)
    known = GREY if right else None
    captions = ("ann, really", "bob at 97 %", "ann")
    return FailureCase(GREY, GREY, known, positions, positions, scores, captions)


def drawn(
    found: list[FailureCase], folder: Path
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    sheet(found, folder / "sheet.png", "Worst errors")
    with Image.open(folder / "sheet.png") as image:
        return np.asarray(image)


def test_each_mistake_has_a_row(tmp_path: Path) -> None:
    one, three = (drawn([mistake(4)] * count, tmp_path) for count in (1, 3))
    two = drawn([mistake(4)] * 2, tmp_path)
    assert len(two) - len(one) == len(three) - len(two) > 300


def test_matches_join_the_query_and_the_wrong_picture_only(tmp_path: Path) -> None:
    with_matches, without = drawn([mistake(6)], tmp_path), drawn([mistake(0)], tmp_path)
    # Faint differences are what scaling the lines down leaves around them.
    difference = np.abs(with_matches.astype(int) - without).max(axis=(0, 2))
    columns = np.flatnonzero(difference > 30)
    # From x = 20 of the query's 200 pixels to x = 100 of the candidate's.
    assert columns.min() == pytest.approx(28 + 20 / 200 * 460, abs=6)
    assert columns.max() < 28 + 460 + 6 + 460
    assert len(columns) == columns.max() - columns.min() + 1


def test_an_unknown_query_has_no_right_picture(tmp_path: Path) -> None:
    without = drawn([mistake(2, right=False)], tmp_path)
    changed = drawn([mistake(2)], tmp_path) != without
    assert changed[:, -400:].any()
    assert not changed[:, :-500].any()


def test_matches_of_unequal_number_are_refused() -> None:
    two, three = np.zeros((2, 2)), np.zeros((3, 2))
    with pytest.raises(ValueError, match="2 matches with positions"):
        FailureCase(GREY, GREY, None, two, three, np.zeros(2, np.float32), ("", "", ""))


def test_no_mistakes_make_no_sheet(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no errors"):
        sheet([], tmp_path / "sheet.png", "none")

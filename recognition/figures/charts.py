"""Charts of an evaluation: rank curves, known against unknown, probabilities.

Colours are Okabe & Ito's, which are safe for colour-blind readers; lines also differ in dashes and
markers. Texts are legible at half the resolution.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from recognition.evaluation.open_set import auroc, roc
from recognition.evaluation.predictions import Prediction, known, named, probabilities, right
from recognition.evaluation.reliability import Bin, calibration_error
from shared.messages import Thresholds

_INK, _FAINT, _GRID = "#262624", "#6b6a66", "#e4e2dc"
_BLUE, _ORANGE, _GREEN, _RED, _GREY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#999999"
_PURPLE = "#cc79a7"
# In the order of `pipelines`: colour, dashes, marker.
_LINES = (
    (_ORANGE, "-.", "s"),
    (_PURPLE, "-.", "v"),
    (_GREEN, "--", "^"),
    (_GREY, ":", "D"),
    (_BLUE, "-", "o"),
)
_RANKS = (1, 2, 3, 5, 10, 20, 50, 100, 200, 500)
_COLUMNS = [edge / 25 for edge in range(26)]
_INCHES, _DOTS = 10.0, 200


def rank_curves(curves: Mapping[str, NDArray[np.float64]], subject: str) -> Figure:
    """Draw each pipeline's `closed_set.cmc`, name → float64 [depth].

    `subject` names data set, split and number of queries.
    """
    with _styled():
        figure, axes = _canvas(6.2)
        depth = max(map(len, curves.values()))
        for (name, curve), (colour, dashes, marker) in zip(
            curves.items(), cycle(_LINES), strict=False
        ):
            ranks = np.arange(1, len(curve) + 1)
            label = f"{name}: R-1 {curve[0]:.3f}, R-{min(20, len(curve))} {curve[:20][-1]:.3f}"
            axes.plot(
                ranks,
                curve,
                color=colour,
                linestyle=dashes,
                linewidth=2.2,
                marker=marker,
                markevery=[rank - 1 for rank in _RANKS if rank <= len(curve)],
                label=label,
            )
        axes.set_xscale("log")
        shown = [rank for rank in _RANKS if rank <= depth]
        axes.set_xticks(shown, [str(rank) for rank in shown])
        axes.minorticks_off()
        axes.set_ylim(0, 1.02)
        axes.set_xlabel("rank k")
        axes.set_ylabel("share of queries with the right individual among the first k")
        axes.set_title(f"Rank curves · {subject}")
        axes.legend(loc="lower right")
        return figure


def known_against_unknown(answers: Sequence[Prediction], subject: str) -> Figure:
    """Draw the ROC of telling known from unknown queries, and the registry's operating point.

    Raises:
        ValueError: there are no known or no unknown queries.
    """
    with _styled():
        figure, axes = _canvas(8.6)
        unknown_pass, known_pass = roc(answers)
        of_known, called = known(answers), named(answers)
        operating = float(called[~of_known].mean()), float(called[of_known].mean())
        axes.plot([0, 1], [0, 1], color=_GREY, linestyle=":", label="chance")
        label = f"first-ranked probability, AUROC {auroc(answers):.3f}"
        axes.plot(unknown_pass, known_pass, color=_BLUE, linewidth=2.2, label=label)
        label = f"called known: {operating[1]:.1%} of known, {operating[0]:.1%} of unknown"
        axes.plot(*operating, color=_RED, marker="o", markersize=10, linestyle="", label=label)
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(-0.02, 1.02)
        axes.set_aspect("equal")
        axes.set_xlabel(f"share of the {np.sum(~of_known)} unknown queries above the threshold")
        axes.set_ylabel(f"share of the {np.sum(of_known)} known queries above the threshold")
        axes.set_title(f"Known against unknown · {subject}")
        axes.legend(loc="lower right")
        return figure


def reliability_diagram(found: Sequence[Bin], subject: str) -> Figure:
    """Draw the bins' mean probability against the share that was right; area shows the count."""
    with _styled():
        figure, axes = _canvas(8.6)
        claimed, kept = ([getattr(each, name) for each in found] for name in ("claimed", "kept"))
        axes.plot([0, 1], [0, 1], color=_GREY, linestyle=":", label="perfectly calibrated")
        axes.hlines(
            kept,
            [each.lowest for each in found],
            [each.highest for each in found],
            color=_BLUE,
            alpha=0.35,
            linewidth=5,
            label="range of a bin's probabilities",
        )
        counts = np.array([each.count for each in found])
        label = (
            f"{len(found)} bins of {counts.min()} to {counts.max()} answers, "
            f"calibration error {calibration_error(found):.3f}"
        )
        axes.plot(claimed, kept, color=_BLUE, linewidth=1.2)
        axes.scatter(claimed, kept, 160 * counts / counts.max(), color=_BLUE, label=label, zorder=3)
        axes.set_xlim(-0.04, 1.04)
        axes.set_ylim(-0.04, 1.04)
        axes.set_aspect("equal")
        axes.set_xlabel("probability of the first-ranked individual")
        axes.set_ylabel("share of the answers that were right")
        axes.set_title(f"Reliability · {subject}")
        axes.legend(loc="upper left")
        return figure


def probability_histograms(
    answers: Sequence[Prediction], thresholds: Thresholds, subject: str
) -> Figure:
    """Draw the first-ranked individuals' probabilities and both thresholds.

    Right known queries, wrong known queries and unknown queries have their own panels and scales,
    because their numbers differ a lot.
    """
    with _styled():
        figure = Figure(figsize=(_INCHES, 8.6), layout="constrained")
        panels: Sequence[Axes] = figure.subplots(3, 1, sharex=True)
        scores, of_known, is_right = probabilities(answers), known(answers), right(answers)
        groups = (
            (scores[is_right], _BLUE, "known, right one first"),
            (scores[of_known & ~is_right], _ORANGE, "known, wrong one first"),
            (scores[~of_known], _GREY, "unknown"),
        )
        for axes, (values, colour, name) in zip(panels, groups, strict=True):
            axes.hist(values, bins=_COLUMNS, color=colour)
            axes.axvline(thresholds.new, color=_RED, linestyle="--", linewidth=1.6)
            axes.axvline(thresholds.known, color=_RED, linewidth=1.6)
            axes.set_xlim(0, 1)
            axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
            axes.set_ylabel("queries")
            axes.set_title(f"{name}: {len(values)}", fontsize=13)
        figure.suptitle(
            f"Probabilities · {subject}\n"
            f"new below {thresholds.new:.2f} (dashed), known from {thresholds.known:.2f} (solid)",
            fontsize=15,
        )
        panels[-1].set_xlabel("probability of the first-ranked individual")
        return figure


def save(figure: Figure, target: Path) -> None:
    """Write a chart as PNG, 2,000 pixels wide.

    Raises:
        OSError: it can't be written.
    """
    figure.savefig(target, format="png", dpi=_DOTS)


def _canvas(height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_INCHES, height), layout="constrained")
    return figure, figure.subplots()


@contextmanager
def _styled() -> Iterator[None]:
    """Apply the style to charts made inside; global settings stay."""
    with matplotlib.rc_context(
        {
            "font.size": 13.0,
            "axes.edgecolor": _FAINT,
            "axes.labelcolor": _INK,
            "axes.titlelocation": "left",
            "axes.titlesize": 15.0,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.axisbelow": True,
            "grid.color": _GRID,
            "xtick.color": _FAINT,
            "ytick.color": _FAINT,
            "legend.edgecolor": "none",
            "legend.framealpha": 0.9,
        }
    ):
        yield

"""The charts of an evaluation as files."""

from pathlib import Path

from recognition.evaluation.closed_set import cmc
from recognition.evaluation.predictions import probabilities, right
from recognition.evaluation.reliability import bins
from recognition.evaluation.run import Evaluation
from recognition.figures import charts
from shared.messages import Thresholds

DEPTH = 100


def draw(evaluation: Evaluation, folder: Path, subject: str) -> list[Path]:
    """Write the possible charts into a folder, and return their paths.

    `subject` names data set and split in their titles.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = evaluation.report
    about = f"{subject}, {found.queries} queries"
    kept = bins(probabilities(found.answers), right(found.answers))
    cut = _thresholds(evaluation)
    figures = {
        "reliability": charts.reliability_diagram(kept, about),
        "probabilities": charts.probability_histograms(found.answers, cut, about),
    }
    if found.rows:
        curves = {name: cmc(places, DEPTH) for name, places in found.places.items()}
        figures["rank-curves"] = charts.rank_curves(curves, f"{subject}, {found.known} queries")
    if found.open_set:
        figures["known-against-unknown"] = charts.known_against_unknown(found.answers, about)
    for name, figure in figures.items():
        charts.save(figure, folder / f"{name}.png")
    return [folder / f"{name}.png" for name in figures]


def _thresholds(evaluation: Evaluation) -> Thresholds:
    """Return the thresholds of the curve that decided, or the pooled curve's."""
    curves = {id(curve): curve for curve in map(evaluation.curve, evaluation.asked)}
    chosen = next(iter(curves.values())) if len(curves) == 1 else evaluation.calibration.pooled
    return Thresholds(known=chosen.known, new=chosen.new)

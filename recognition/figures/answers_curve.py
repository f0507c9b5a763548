"""Plots the value of answers: F1 over pairs after each of them."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from recognition.replay.stream import Score


def draw(before: Score, after: Sequence[Score], target: Path, subject: str) -> Path:
    """Write precision, recall and F1 over pairs by the number of answers as a PNG.

    `before` is the score without any, `after` that after each; returns the picture's path.
    """
    figure = Figure(figsize=(8, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    scores = [before, *after]
    for name, colour, dashes in (
        ("precision", "#009e73", "--"),
        ("recall", "#e69f00", "-."),
        ("f1", "#0072b2", "-"),
    ):
        values = [getattr(each.pairs, name) or 0.0 for each in scores]
        label = f"{'F1' if name == 'f1' else name}: {values[0]:.3f}, then {values[-1]:.3f}"
        axes.plot(range(len(values)), values, color=colour, linestyle=dashes, label=label)
    per_100 = 100 * len(after) / max(before.sightings, 1)
    axes.set(
        title=f"{subject}: {len(after)} answers, {per_100:.0f} for each 100 sightings",
        xlabel="questions answered, most valuable first",
        ylabel="over pairs of sightings with one ID",
        ylim=(0, 1.02),
    )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    figure.savefig(target, dpi=120)
    return target

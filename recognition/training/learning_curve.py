"""Plots a run: loss and validation, epoch by epoch."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from recognition.training.history import Epoch


def draw(history: Sequence[Epoch], target: Path) -> Path:
    """Write the curves of a run as a PNG and return its path."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    FigureCanvasAgg(figure)
    left = figure.subplots()
    learnt = [(each.number, each.loss) for each in history if each.loss is not None]
    left.plot(*zip(*learnt, strict=True), color="tab:gray", label="loss")
    left.set(xlabel="epoch", ylabel="loss")
    left.xaxis.set_major_locator(MaxNLocator(integer=True))
    left.grid(alpha=0.3)
    lines = list(left.get_lines())
    validated = [(each.number, each.r1) for each in history if each.r1 is not None]
    if validated:
        right = left.twinx()
        right.plot(*zip(*validated, strict=True), color="tab:green", marker="o", label="R-1")
        right.set(ylabel="R-1 of held-out pictures", ylim=(0, 1))
        lines += right.get_lines()
    left.legend(handles=lines, loc="center right")
    figure.savefig(target, dpi=120)
    return target

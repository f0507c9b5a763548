"""Draws the boards from a demo run: `python -m deploy.grafana.pictures FOLDER`.

Grafana is not needed: a real Prometheus scrapes the demo, every panel's queries are run, and
    matplotlib draws the results where Grafana would.
"""

import argparse
import math
import re
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.ticker import FuncFormatter

from catalogue.publishing.account import Account
from deploy.grafana.boards import BOARDS
from deploy.grafana.panels import WIDTH, WINDOW, Board, Panel, Query, Unit
from deploy.prometheus.server import Prometheus, Series, prometheus
from recognition.synthetic.dataset import draw
from resight.demonstration import demonstrate
from resight.sources import read_catalogue
from resight.stack_state import running

# A demo run takes a minute: scraped every second, drawn every two.
STEP_SECONDS = 2.0
# Grafana's $__rate_interval is four scrapes; a longer one smooths so short a run.
RATE_INTERVAL = "12s"

_COLOURS = ("#1f6f8b", "#d1495b", "#edae49", "#3c8d40", "#7a5195", "#8d6b4f", "#4d5359", "#c06c9f")
_SUFFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def draw_board(
    board: Board, server: Prometheus, start: float, end: float, missing: Mapping[str, str]
) -> Figure:
    """Draw a board from Prometheus data between two times.

    `missing` says why another exporter's panels have no data.
    """
    lines = [
        (row.title if not at else "", line)
        for row in board.rows
        for at, line in enumerate(_lines(row.panels))
    ]
    figure = Figure(figsize=(17, 2.9 * len(lines) + 0.9), layout="constrained")
    figure.suptitle(f"{board.title}\n{board.help}", fontsize=13)
    grid = GridSpec(len(lines), WIDTH, figure=figure)
    for index, (title, line) in enumerate(lines):
        left = 0
        for panel in line:
            axes = figure.add_subplot(grid[index, left : left + panel.width])
            heading = f"{title}:  {panel.title}" if title and not left else panel.title
            axes.set_title(heading, fontsize=10, loc="left")
            _fill(axes, panel, _answers(panel, server, start, end), start, missing)
            left += panel.width
    return figure


def _lines(panels: Sequence[Panel]) -> list[list[Panel]]:
    lines: list[list[Panel]] = [[]]
    for panel in panels:
        if sum(each.width for each in lines[-1]) + panel.width > WIDTH:
            lines.append([])
        lines[-1].append(panel)
    return lines


def _answers(
    panel: Panel, server: Prometheus, start: float, end: float
) -> list[tuple[str, Series]]:
    return [
        (_legend(query, series), series)
        for query in panel.queries
        for series in server.over(
            query.promql.replace(WINDOW, RATE_INTERVAL), start, end, STEP_SECONDS
        )
    ]


def _legend(query: Query, series: Series) -> str:
    return re.sub(r"{{(\w+)}}", lambda name: series.labels.get(name[1], ""), query.legend)


def _fill(
    axes: Axes,
    panel: Panel,
    answers: Sequence[tuple[str, Series]],
    start: float,
    missing: Mapping[str, str],
) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    if not answers:
        why = missing.get(panel.beside, "no data in this run")
        axes.text(0.5, 0.5, why, ha="center", va="center", color="grey", transform=axes.transAxes)
        axes.set(xticks=[], yticks=[])
        return
    if panel.form == "number":
        latest = [value for _, series in answers for value in [list(series.values.values())[-1]]]
        axes.text(0.5, 0.5, _text(latest[0], panel.unit), ha="center", va="center", fontsize=26)
        axes.set_axis_off()
        return
    if panel.form == "heat":
        _heat(axes, answers, start)
        return
    axes.set_prop_cycle(color=_COLOURS)
    if panel.form == "areas":
        _areas(axes, answers, start)
    else:
        for legend, series in answers:
            axes.plot(
                [at - start for at in series.values], list(series.values.values()), label=legend
            )
    if panel.red is not None and panel.red <= 2 * axes.get_ylim()[1]:
        axes.axhline(panel.red, color="#d1495b", linestyle="--", linewidth=1)
    axes.set_ylim(0, axes.get_ylim()[1] if _highest(answers) > 0 else 1)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _text(value, panel.unit)))
    axes.set_xlabel("seconds", fontsize=8)
    if any(legend for legend, _ in answers):
        axes.legend(fontsize=7, loc="upper left", framealpha=0.6, ncols=1 + (len(answers) > 6))


def _highest(answers: Sequence[tuple[str, Series]]) -> float:
    return max(value for _, series in answers for value in series.values.values())


def _areas(axes: Axes, answers: Sequence[tuple[str, Series]], start: float) -> None:
    times = sorted({at for _, series in answers for at in series.values})
    stacked = [[series.values.get(at, 0.0) for at in times] for _, series in answers]
    axes.stackplot(
        [at - start for at in times], np.nan_to_num(stacked), labels=[name for name, _ in answers]
    )


def _heat(axes: Axes, answers: Sequence[tuple[str, Series]], start: float) -> None:
    """Draw each bucket's own count."""
    bounds = sorted(answers, key=lambda answer: float(answer[0]))
    times = sorted({at for _, series in answers for at in series.values})
    up_to = np.array([[series.values.get(at, 0.0) for at in times] for _, series in bounds])
    each = np.diff(up_to, axis=0, prepend=0.0)
    edges = [0.0, *(min(float(bound), 1.0) for bound, _ in bounds)]
    axes.pcolormesh(
        [at - start for at in [*times, times[-1] + STEP_SECONDS]], edges, each, cmap="Blues"
    )
    axes.set_xlabel("seconds", fontsize=8)


def _text(value: float, unit: Unit) -> str:
    if math.isnan(value):
        return "-"
    if unit == "percentunit":
        return f"{100 * value:.3g} %"
    for size, suffix in _SUFFIXES:
        if abs(value) >= size:
            return f"{value / size:.3g}{suffix}{'B' if unit == 'bytes' else ''}"
    return f"{value:.3g}" + {"s": " s", "bytes": " B", "reqps": "/s", "short": ""}[unit]


def main() -> None:
    """Run a demo under a Prometheus and draw every board into a folder."""
    parser = argparse.ArgumentParser(prog="python -m deploy.grafana.pictures", description=__doc__)
    parser.add_argument("folder", type=Path, help="output folder, such as docs/dashboards")
    parser.add_argument("--individuals", type=int, default=24, help="number of animals")
    asked = parser.parse_args()
    mpl.use("Agg")
    asked.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as servers:
        pictures = Path(scratch, "drawn")
        draw(pictures, individuals=asked.individuals, seed=0)
        photographs = read_catalogue([pictures]).photographs
        broken = Path(scratch, "broken.jpg")  # so that something is refused
        broken.write_bytes(photographs[0].path.read_bytes()[:2000])
        stack = Path(scratch, "stack")
        watching: list[Prometheus] = []
        began = time.time()

        def attend(_account: Account) -> None:
            state = running(stack)
            if state and not watching:
                targets = {name: urlsplit(at).netloc for name, at in state.telemetry.items()}
                folder = Path(scratch, "prometheus")
                watching.append(servers.enter_context(prometheus(folder, targets)))

        every = [*photographs, replace(photographs[0], path=broken)]
        demonstrate(every, stack, Path("out/demo/models"), print, attend)
        for board in BOARDS:
            missing = {
                "triton": "a demo has no Triton: its model runs in the embedder",
                "gpu": "no GPU on this machine",
            }
            figure = draw_board(board, watching[0], began, time.time(), missing)
            figure.savefig(asked.folder / f"{board.uid}.png", dpi=70)


if __name__ == "__main__":
    main()

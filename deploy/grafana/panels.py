"""A board: rows of panels, each a question with the queries that answer it. No Grafana in it.

The boards' JSON, their pictures, and the test that runs every query are made from this.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

# Grafana's units: per second, seconds, bytes, shares of 1, plain numbers.
Unit = Literal["reqps", "s", "bytes", "percentunit", "short"]
# lines: over time; areas: stacked over time; number: the latest value; heat: buckets over time.
Form = Literal["lines", "areas", "number", "heat"]

# Grafana fills it in: four scrapes, or a step where that is longer.
WINDOW = "$__rate_interval"

WIDTH = 24


@dataclass(frozen=True)
class Query:
    """PromQL, and the name of each series that it gives: Grafana's {{label}} is filled in."""

    promql: str
    legend: str = "{{service}}"


@dataclass(frozen=True)
class Panel:
    """One picture. `help` says what it means and what to do; `width` is in 24ths of the board.

    `red`: from here on the value is trouble. `beside`: the exporter that it takes beside ours.
    """

    title: str
    help: str
    queries: Sequence[Query]
    unit: Unit = "short"
    form: Form = "lines"
    width: int = 8
    red: float | None = None
    beside: Literal["", "triton", "gpu"] = ""


@dataclass(frozen=True)
class Row:
    """Panels with one heading."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True)
class Board:
    """One dashboard; `uid` is its address for ever."""

    uid: str
    title: str
    help: str
    rows: Sequence[Row]

    @property
    def panels(self) -> list[Panel]:
        """All panels, in order."""
        return [panel for row in self.rows for panel in row.panels]


def rate(metric: str, by: str = "") -> str:
    """Return how fast a counter grows, per second, for each value of a label or in all."""
    return f"{_sum(by)}(rate({metric}[{WINDOW}]))"


def share(part: str, whole: str) -> str:
    """Return what one counter's growth is of another's; nothing where that does not grow."""
    return f"{rate(part)} / ({rate(whole)} > 0)"


def quantile(of: float, histogram: str, by: str = "") -> str:
    """Return a percentile of what a histogram has seen lately."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({of:g}, {_sum(labels)}(rate({histogram}_bucket[{WINDOW}])))"


def mean(histogram: str) -> str:
    """Return the mean of what a histogram has seen lately."""
    return share(f"{histogram}_sum", f"{histogram}_count")


def percentiles(histogram: str) -> list[Query]:
    """Return half, most and nearly all of what a histogram has seen lately."""
    return [Query(quantile(of, histogram), f"p{of * 100:g}") for of in (0.5, 0.95, 0.99)]


def _sum(by: str) -> str:
    return f"sum by ({by}) " if by else "sum"

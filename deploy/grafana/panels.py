"""Boards as rows of panels with queries, independent of Grafana.

The boards' JSON, their pictures, and the test that runs every query are generated from this.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

# Grafana's units: per second, seconds, bytes, shares of 1, plain numbers.
Unit = Literal["reqps", "s", "bytes", "percentunit", "short"]
# lines: over time; areas: stacked over time; number: the latest value; heat: buckets over time.
Form = Literal["lines", "areas", "number", "heat"]

# Grafana's variable: four scrapes, or one step if that is longer.
WINDOW = "$__rate_interval"

WIDTH = 24


@dataclass(frozen=True)
class Query:
    """PromQL, and the name of each series, in Grafana's {{label}} syntax."""

    promql: str
    legend: str = "{{service}}"


@dataclass(frozen=True)
class Panel:
    """One panel. `help` says what it means and what to do; `width` is in 24ths of the board.

    `red`: threshold of trouble. `beside`: another exporter that it needs.
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
    """One dashboard; `uid` is its permanent address."""

    uid: str
    title: str
    help: str
    rows: Sequence[Row]

    @property
    def panels(self) -> list[Panel]:
        """All panels, in order."""
        return [panel for row in self.rows for panel in row.panels]


def rate(metric: str, by: str = "") -> str:
    """Return a counter's rate per second, by label or in total."""
    return f"{_sum(by)}(rate({metric}[{WINDOW}]))"


def share(part: str, whole: str) -> str:
    """Return one counter's rate divided by another's; nothing if the latter is 0."""
    return f"{rate(part)} / ({rate(whole)} > 0)"


def quantile(of: float, histogram: str, by: str = "") -> str:
    """Return a recent percentile of a histogram."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({of:g}, {_sum(labels)}(rate({histogram}_bucket[{WINDOW}])))"


def mean(histogram: str) -> str:
    """Return the recent mean of a histogram."""
    return share(f"{histogram}_sum", f"{histogram}_count")


def percentiles(histogram: str) -> list[Query]:
    """Return the median, 95th and 99th percentile of a histogram."""
    return [Query(quantile(of, histogram), f"p{of * 100:g}") for of in (0.5, 0.95, 0.99)]


def _sum(by: str) -> str:
    return f"sum by ({by}) " if by else "sum"

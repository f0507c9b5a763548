"""Metrics, each declared once with its help text and label values.

The list is closed, and no label holds values that uploaders choose, because each value is a series
for ever. Counters with known label values start at 0, so that Prometheus sees the first increase.
`make metrics` writes the list to docs/metrics.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Literal

from prometheus_client import Counter, Gauge, Histogram

# From a millisecond (a search) to the five minutes after which Kafka expels a member.
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)

# The values of a label that the operator sets, by what is deployed.
DEPLOYED: tuple[str, ...] = ()

Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True)
class Metric:
    """One metric of the list. `labels`: of each its values; none: they depend on what is deployed.

    `name` is that of the series; a histogram's have `_bucket`, `_sum` and `_count` after it.
    """

    name: str
    kind: Kind
    text: str
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)


METRICS: list[Metric] = []


def counter(name: str, text: str, /, **labels: Sequence[str]) -> Counter:
    """Declare a counter; its name ends in `_total`."""
    made = Counter(name, text, _listed(name, "counter", text, labels))
    _begin(made, labels)
    return made


def gauge(name: str, text: str, /, **labels: Sequence[str]) -> Gauge:
    """Declare a gauge."""
    return Gauge(name, text, _listed(name, "gauge", text, labels))


def histogram(
    name: str, text: str, buckets: Sequence[float] = SECONDS, /, **labels: Sequence[str]
) -> Histogram:
    """Declare a histogram, in seconds unless the name says otherwise."""
    return Histogram(name, text, _listed(name, "histogram", text, labels), buckets=buckets)


def _listed(name: str, kind: Kind, text: str, labels: dict[str, Sequence[str]]) -> list[str]:
    METRICS.append(
        Metric(name, kind, text, {each: tuple(values) for each, values in labels.items()})
    )
    return list(labels)


def _begin(made: Counter, labels: dict[str, Sequence[str]]) -> None:
    # A process runs one service, so shared metrics have one `service`: see `service_metrics.begin`.
    if labels and all(labels.values()) and "service" not in labels:
        for values in product(*labels.values()):
            made.labels(*values)

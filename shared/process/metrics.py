"""Metrics, each declared once with what it is for and which values its labels may take.

The list is closed: what is not declared here does not exist, and no label holds what an
uploader can choose, since each value would be a series for ever. Counters whose labels'
values are known begin at 0, so that the first increase is one (Prometheus can't see that a
series began). `python -m resight.reference.metrics` writes the list as a page.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Literal

from prometheus_client import Counter, Gauge, Histogram

# From a millisecond (a search) to the five minutes after which Kafka gives a member up.
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
    """Declare what only grows; its name ends in `_total`."""
    made = Counter(name, text, _listed(name, "counter", text, labels))
    _begin(made, labels)
    return made


def gauge(name: str, text: str, /, **labels: Sequence[str]) -> Gauge:
    """Declare what goes up and down."""
    return Gauge(name, text, _listed(name, "gauge", text, labels))


def histogram(
    name: str, text: str, buckets: Sequence[float] = SECONDS, /, **labels: Sequence[str]
) -> Histogram:
    """Declare what is spread over buckets, in seconds unless the name says otherwise."""
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

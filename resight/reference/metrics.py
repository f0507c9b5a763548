"""Generates docs/metrics.md: `python -m resight.reference.metrics > docs/metrics.md`."""

import importlib
import sys

from shared.kafka.topics import INPUTS
from shared.process.metrics import METRICS, Metric

_HEADER = """\
# Metrics

All metrics of the services' `/metrics`, generated from the code by `make metrics`; a test compares
them with a running stack. Every series names its service, in its name or the label `service`. No
label has values that uploaders choose. Counters start at 0, so that the first increase is visible.
"""

_SERVICES = {
    "stage": "Every service",
    **{name: name.capitalize() for name in INPUTS},
    "api": "Pages and API",
}
# A label's values are listed if they are few; otherwise their kind.
_MOST_VALUES = 6
_LISTS = {
    "topic": "the topics",
    "kind": "see `shared/errors.py`",
}


def metrics() -> list[Metric]:
    """Return all metrics of all services, in the order of the code."""
    importlib.import_module("shared.process.service_metrics")
    for name in INPUTS:
        importlib.import_module(f"services.{name}.metrics")
    importlib.import_module("services.registry.api.metrics")
    return sorted(METRICS, key=lambda metric: list(_SERVICES).index(_owner(metric)))


def page() -> str:
    """Return the text of docs/metrics.md."""
    parts = [_HEADER]
    for owner, title in _SERVICES.items():
        rows = [_row(metric) for metric in metrics() if _owner(metric) == owner]
        parts.append(
            f"\n## {title}\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n"
            + "".join(rows)
        )
    return "".join(parts)


def _owner(metric: Metric) -> str:
    return metric.name.split("_")[1]


def _row(metric: Metric) -> str:
    labels = "; ".join(_label(name, values) for name, values in metric.labels.items())
    return f"| `{metric.name}` | {metric.kind} | {labels} | {metric.text} |\n"


def _label(name: str, values: tuple[str, ...]) -> str:
    if not values:
        return f"`{name}`: as deployed"
    if len(values) > _MOST_VALUES:
        return f"`{name}`: {_LISTS[name]}"
    return f"`{name}`: {', '.join(values)}"


if __name__ == "__main__":
    sys.stdout.write(page())

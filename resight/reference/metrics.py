"""All metrics, from the code: `python -m resight.reference.metrics > docs/metrics.md`."""

import importlib
import sys

from shared.kafka.topics import INPUTS
from shared.process.metrics import MEASURES, Measure

_HEADER = """\
# Metrics

What `/metrics` of a service says, all of it. Made from the code by `make metrics`; a test scrapes a
running stack and compares. Every series has its service in its name or its label `service`, and no
label holds what an uploader can choose. Counters begin at 0, so that the first increase is seen.
"""

_SERVICES = {
    "stage": "Every service",
    **{name: name.capitalize() for name in INPUTS},
    "api": "Pages and API",
}
# Values of a label are told where they are few; where there are more, what they are of.
_MOST_VALUES = 6
_LISTS = {
    "topic": "the topics",
    "kind": "see `shared/errors.py`",
}


def measures() -> list[Measure]:
    """Return all metrics of all services, those of each in the order of its code."""
    importlib.import_module("shared.process.service_metrics")
    for name in INPUTS:
        importlib.import_module(f"services.{name}.metrics")
    importlib.import_module("services.registry.api.metrics")
    return sorted(MEASURES, key=lambda measure: list(_SERVICES).index(_owner(measure)))


def page() -> str:
    """Return the text of docs/metrics.md."""
    parts = [_HEADER]
    for owner, title in _SERVICES.items():
        rows = [_row(measure) for measure in measures() if _owner(measure) == owner]
        parts.append(
            f"\n## {title}\n\n| metric | type | labels | what it says |\n|---|---|---|---|\n"
            + "".join(rows)
        )
    return "".join(parts)


def _owner(measure: Measure) -> str:
    return measure.name.split("_")[1]


def _row(measure: Measure) -> str:
    labels = "; ".join(_label(name, values) for name, values in measure.labels.items())
    return f"| `{measure.name}` | {measure.kind} | {labels} | {measure.text} |\n"


def _label(name: str, values: tuple[str, ...]) -> str:
    if not values:
        return f"`{name}`: of what is deployed"
    if len(values) > _MOST_VALUES:
        return f"`{name}`: {_LISTS[name]}"
    return f"`{name}`: {', '.join(values)}"


if __name__ == "__main__":
    sys.stdout.write(page())

"""No label of a metric holds what an uploader can choose: each value would be a series for ever."""

import importlib

from prometheus_client import REGISTRY

from shared.topics import INPUTS

# Each is of a closed list that the code or the operator sets.
CLOSED = {"depth", "kind", "outcome", "reason", "role", "service", "source", "topic"}


def _labels() -> dict[str, tuple[str, ...]]:
    for service in INPUTS:
        importlib.import_module(f"services.{service}.metrics")
    importlib.import_module("shared.telemetry")
    collectors = set(REGISTRY._collector_to_names)
    return {getattr(each, "_name", ""): getattr(each, "_labelnames", ()) for each in collectors}


def test_every_label_is_of_a_closed_list() -> None:
    found = {name: labels for name, labels in _labels().items() if name.startswith("resight_")}
    assert len(found) > 25
    assert {label for labels in found.values() for label in labels} <= CLOSED

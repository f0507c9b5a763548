"""The list of metrics is closed, written down, and begins at 0."""

from pathlib import Path

from prometheus_client import REGISTRY

from resight.reference.metrics import metrics, page
from shared.process import service_metrics
from shared.process.metrics import Metric

WRITTEN = Path(__file__).parents[4] / "docs" / "metrics.md"

# Each is of a closed list that the code or the operator sets: a value is a series for ever.
CLOSED = {
    "change",
    "missing",
    "depth",
    "kind",
    "name",
    "outcome",
    "preprocessing",
    "reason",
    "role",
}
CLOSED |= {"service", "source", "status", "title", "topic", "version"}


def test_the_page_is_up_to_date() -> None:
    assert WRITTEN.read_text() == page(), "run `make metrics`"


def test_every_label_is_of_a_closed_list() -> None:
    assert len(metrics()) > 50
    assert {label for metric in metrics() for label in metric.labels} <= CLOSED


def test_no_metric_is_made_beside_the_list() -> None:
    made = {name for names in REGISTRY._collector_to_names.values() for name in names}
    ours = {name for name in made if name.startswith("resight_") and not name.endswith("_created")}
    assert ours <= {series for metric in metrics() for series in _series(metric)}


def test_a_name_says_whose_it_is_and_whether_it_only_grows() -> None:
    owners = {"stage", "embedder", "lookup", "matcher", "registry", "api"}
    assert {metric.name.split("_")[1] for metric in metrics()} == owners
    for metric in metrics():
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric.name
        assert metric.text.endswith("."), metric.name


def test_counters_begin_at_zero() -> None:
    service_metrics.begin("embedder")
    for name, labels in {
        "resight_embedder_masks_total": {"outcome": "beside"},
        "resight_stage_stalls_total": {"service": "embedder"},
        "resight_stage_dead_letters_total": {
            "service": "embedder",
            "topic": "resight.captures.v1",
            "kind": "too-slow",
        },
    }.items():
        assert REGISTRY.get_sample_value(name, labels) is not None, name


def _series(metric: Metric) -> set[str]:
    parts = {metric.name + end for end in ("_bucket", "_sum", "_count")}
    return {metric.name, metric.name.removesuffix("_total"), *parts}

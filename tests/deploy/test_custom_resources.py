"""Resources of other operators, against schemas of what is used of them."""

from typing import Any

import jsonschema
import pytest
import yaml

from tests.deploy.rendered import K8S, OVERLAYS, overlay

Schema = dict[str, Any]


def _schemas() -> dict[str, Schema]:
    found: dict[str, Schema] = {}
    for path in sorted((K8S / "schemas").glob("*.yaml")):
        kinds = yaml.safe_load(path.read_text())
        shared = kinds.pop("$defs", {})
        found |= {kind: {"$defs": shared, **schema} for kind, schema in kinds.items()}
    return found


SCHEMAS = _schemas()


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_resource_has_a_schema_and_fits_it(name: str) -> None:
    for each in overlay(name).resources:
        group = each["apiVersion"].split("/")[0]
        if "." not in group or group.endswith(".k8s.io"):
            continue
        schema = SCHEMAS[f"{each['apiVersion']}/{each['kind']}"]
        jsonschema.validate(each["spec"], schema)


def test_every_schema_is_used() -> None:
    used = {
        f"{each['apiVersion']}/{each['kind']}"
        for name in OVERLAYS
        for each in overlay(name).resources
    }
    assert set(SCHEMAS) <= used


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("kafka.strimzi.io/v1/KafkaTopic", {"partitions": 0, "replicas": 3, "config": {}}),
        ("kafka.strimzi.io/v1/KafkaTopic", {"partition": 4, "replicas": 3, "config": {}}),
        (
            "keda.sh/v1alpha1/ScaledObject",
            {"scaleTargetRef": {"name": "a"}, "triggers": [{"type": "kafka", "metadata": {}}]},
        ),
        ("monitoring.coreos.com/v1/PodMonitor", {"selector": {}, "podMetricsEndpoints": []}),
    ],
)
def test_what_does_not_fit_is_refused(kind: str, spec: Schema) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[kind])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(spec, SCHEMAS[kind])

"""The manifests mean what they say: names meet, settings exist, nothing runs unbounded."""

import re
import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

from resight.reference.settings import concerns
from services.registry.api.settings import ApiSettings
from services.registry.imports.importer import MOST_HELD
from shared.environment import variables
from tests.deploy.rendered import OVERLAYS, ROOMS, ROOT, Overlay, Workload, overlay, services

NEWEST = ("1.37", "1.36")
NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
QUANTITY = re.compile(r"\d+(\.\d+)?(m|k|Ki|Mi|Gi|Ti|M|G|T)?")
PINNED = re.compile(r"[\w./-]+:v?\d+(\.\d+)+[\w.-]*")
# What only its own operator knows.
OWN_SCHEMA = ("kafka.strimzi.io/", "keda.sh/", "monitoring.coreos.com/")


@pytest.fixture(params=OVERLAYS)
def given(request: pytest.FixtureRequest) -> Overlay:
    return overlay(request.param)


@pytest.mark.parametrize("version", NEWEST)
def test_every_resource_is_what_kubernetes_takes(given: Overlay, version: str) -> None:
    for each in given.resources:
        if not each["apiVersion"].startswith(OWN_SCHEMA):
            kubernetes_validate.validate(each, version, strict=True)


def test_names_are_valid_and_once(given: Overlay) -> None:
    names = [(each["kind"], each["metadata"]["name"]) for each in given.resources]
    assert len(set(names)) == len(names)
    for _, name in names:
        assert NAME.fullmatch(name), name


def test_everything_lies_in_one_namespace_that_lets_only_the_restricted_in(given: Overlay) -> None:
    (namespace,) = given.of("Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for each in given.resources:
        if each["kind"] != "Namespace":
            assert each["metadata"]["namespace"] == namespace["metadata"]["name"], each["kind"]


def test_selectors_meet_labels(given: Overlay) -> None:
    for kind in ("Deployment", "StatefulSet"):
        for each in given.of(kind):
            (found,) = given.matching(each["spec"]["selector"])
            assert found.name == each["metadata"]["name"]
    for each in given.of("Service"):
        assert given.matching({"matchLabels": each["spec"]["selector"]})
    for each in [*given.of("PodDisruptionBudget"), *given.of("PodMonitor")]:
        assert given.matching(each["spec"]["selector"]), each["metadata"]["name"]
    for work in given.workloads:
        for spread in work.pod.get("topologySpreadConstraints", []):
            assert given.matching(spread["labelSelector"]) == [work]


def test_ports_meet_ports(given: Overlay) -> None:
    for each in given.of("Service"):
        for work in given.matching({"matchLabels": each["spec"]["selector"]}):
            assert {port["targetPort"] for port in each["spec"]["ports"]} <= _ports(work)
    for each in given.of("PodMonitor"):
        for work in given.matching(each["spec"]["selector"]):
            assert {end["port"] for end in each["spec"]["podMetricsEndpoints"]} <= _ports(work)
    for work in given.workloads:
        for container in work.containers:
            for probe in _probes(container).values():
                check = probe["httpGet"] if "httpGet" in probe else probe["tcpSocket"]
                assert check["port"] in _ports(work), work.name


def test_what_stays_has_probes_and_what_the_service_answers_on(given: Overlay) -> None:
    for work in given.workloads:
        for container in work.pod["containers"]:
            expected = set() if work.kind == "Job" else {"startup", "liveness", "readiness"}
            assert set(_probes(container)) == expected, work.name
    for _, work in services(given):
        probes = _probes(work.pod["containers"][0])
        assert probes["liveness"]["httpGet"]["path"] == "/healthz"
        assert probes["readiness"]["httpGet"]["path"] == "/readyz"


def test_every_container_has_limits_and_its_quantities_parse(given: Overlay) -> None:
    for work in given.workloads:
        for container in work.containers:
            resources = container["resources"]
            for kind in ("requests", "limits"):
                assert {"cpu", "memory"} <= set(resources[kind]), work.name
            for value in chain(resources["requests"].values(), resources["limits"].values()):
                assert QUANTITY.fullmatch(str(value)), value
        for volume in work.pod.get("volumes", []):
            if "emptyDir" in volume:
                assert QUANTITY.fullmatch(volume["emptyDir"]["sizeLimit"]), volume


def test_every_image_is_pinned(given: Overlay) -> None:
    for work in given.workloads:
        for container in work.containers:
            assert PINNED.fullmatch(container["image"]), container["image"]


def test_nothing_runs_as_root_or_writes_to_its_image_or_sees_the_api_server(
    given: Overlay,
) -> None:
    for work in given.workloads:
        assert work.pod["automountServiceAccountToken"] is False
        assert work.pod["securityContext"]["runAsNonRoot"] is True
        assert work.pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in work.containers:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


def test_every_volume_is_there_and_used(given: Overlay) -> None:
    claims = set(given.named("PersistentVolumeClaim"))
    for work in given.workloads:
        (resource,) = [
            each for each in given.of(work.kind) if each["metadata"]["name"] == work.name
        ]
        volumes = {volume["name"] for volume in work.pod.get("volumes", [])}
        volumes |= {
            each["metadata"]["name"] for each in resource["spec"].get("volumeClaimTemplates", [])
        }
        mounted = {
            mount["name"] for container in work.containers for mount in container["volumeMounts"]
        }
        assert mounted == volumes, work.name
        for volume in work.pod.get("volumes", []):
            if claim := volume.get("persistentVolumeClaim"):
                assert claim["claimName"] in claims


def test_every_secret_and_config_map_that_is_named_exists(given: Overlay) -> None:
    maps = {name: set(each["data"]) for name, each in given.named("ConfigMap").items()}
    secrets = _secrets(given)
    named = [each for work in given.workloads for each in _named(work)]
    for each in given.of("TriggerAuthentication"):
        for kind in ("secret", "configMap"):
            named += [
                (kind, reference["name"], reference["key"])
                for reference in each["spec"][f"{kind}TargetRef"]
            ]
    for kind, name, key in named:
        keys = (secrets if kind == "secret" else maps)[name]
        assert not key or key in keys, (kind, name, key)


def _named(work: Workload) -> Iterator[tuple[str, str, str]]:
    """Yield each secret and config map that a pod names, with a key of it, or all of them."""
    for container in work.containers:
        for source in container.get("envFrom", []):
            yield "configMap", source["configMapRef"]["name"], ""
        for each in container.get("env", []):
            if reference := each.get("valueFrom", {}).get("secretKeyRef"):
                yield "secret", reference["name"], reference["key"]
    for volume in work.pod.get("volumes", []):
        if "configMap" in volume:
            yield "configMap", volume["configMap"]["name"], ""
        if secret := volume.get("secret"):
            for item in secret.get("items", [{"key": ""}]):
                yield "secret", secret["secretName"], item["key"]


def _secrets(given: Overlay) -> dict[str, set[str]]:
    """Return the keys of the secrets that Strimzi makes, or that the operator is told to make."""
    found = {name: {"password", "sasl.jaas.config"} for name in given.named("KafkaUser")}
    found |= {f"{name}-cluster-ca-cert": {"ca.crt"} for name in given.named("Kafka")}
    page = (ROOT / "docs" / "operations.md").read_text().replace("\\\n", " ")
    for name, options in re.findall(r"kubectl create secret generic (\S+)([^\n]*)", page):
        found[name] = set(re.findall(r"--from-(?:file|literal)=([\w.-]+)=", options))
    return found


@pytest.mark.parametrize("service", ROOMS)
def test_every_variable_is_a_setting_of_that_service_and_has_a_value_that_it_takes(
    given: Overlay, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    container = given.workload(service).pod["containers"][0]
    told = {
        name: value
        for name, value in given.environment(container).items()
        if name.startswith("RESIGHT_")
    }
    own = [
        each
        for each in concerns()
        if each.__module__.split(".")[1] in (ROOMS[service], "settings", "labels")
    ]
    known = {name for concern in own for name in variables(concern)}
    assert set(told) <= known, set(told) - known
    # Files are there when the pod is; here one stands for all.
    with tempfile.NamedTemporaryFile() as file:
        for name, value in told.items():
            monkeypatch.setenv(name, file.name if name.endswith("_FILE") else value)
        for name in told:
            if name.endswith("_FILE") and name.removesuffix("_FILE") in known:
                monkeypatch.delenv(name)
                monkeypatch.setenv(name.removesuffix("_FILE"), "secret")
        for concern in own:
            concern()


def test_files_that_settings_name_are_mounted(given: Overlay) -> None:
    for _, work in services(given):
        container = work.pod["containers"][0]
        mounts = [mount["mountPath"] for mount in container["volumeMounts"]]
        for name, value in given.environment(container).items():
            if name.endswith(("_FILE", "_MODEL_PATH", "TMPDIR")):
                assert any(Path(value).is_relative_to(mount) for mount in mounts), name


def test_there_is_room_for_the_catalogues_that_people_bring(given: Overlay) -> None:
    """Each is a ZIP and, for as long as it waits, twice as much of what was in it."""
    pod = given.workload("api").pod
    [limit] = [
        each["emptyDir"]["sizeLimit"] for each in pod["volumes"] if each["name"] == "catalogues"
    ]
    assert limit.endswith("Gi")
    room = int(limit.removesuffix("Gi")) * 1024**3
    assert room > MOST_HELD * 3 * ApiSettings().max_catalogue_bytes


def test_a_batch_in_hand_has_time_to_be_finished(given: Overlay) -> None:
    drain = next(each for each in concerns() if each.__name__ == "StageSettings")()
    for _, work in services(given):
        assert work.pod["terminationGracePeriodSeconds"] > drain.drain_seconds  # type: ignore[attr-defined]


def _ports(work: Workload) -> set[str]:
    return {port["name"] for container in work.containers for port in container.get("ports", [])}


def _probes(container: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        name: container[f"{name}Probe"]
        for name in ("startup", "liveness", "readiness")
        if f"{name}Probe" in container
    }

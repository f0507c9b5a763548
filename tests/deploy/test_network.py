"""Who may talk to whom is what the settings need, and nothing else."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.deploy.rendered import OVERLAYS, ROOMS, Overlay, Workload, overlay, selects

NAMES = "names"
OUTSIDE = "outside"
# What others run, by the name under which services reach it: labels of its pods, their port.
FOREIGN = {
    "resight-kafka-bootstrap": (
        {"strimzi.io/cluster": "resight", "strimzi.io/kind": "Kafka"},
        9093,
    ),
    "qdrant": ({"app.kubernetes.io/name": "qdrant"}, 6333),
}
ADDRESSES = ("_BOOTSTRAP_SERVERS", "_URL")

# Who is talked to, and on which port.
Way = tuple[str, int]


@pytest.fixture(params=OVERLAYS)
def given(request: pytest.FixtureRequest) -> Overlay:
    return overlay(request.param)


@pytest.mark.parametrize("service", ROOMS)
def test_a_service_may_reach_what_its_settings_name_and_nothing_else(
    given: Overlay, service: str
) -> None:
    work = given.workload(service)
    assert _allowed(given, work) == _needed(given, work) | {(NAMES, 53)}


def test_what_a_service_needs_lets_it_in(given: Overlay) -> None:
    for service in ROOMS:
        for name, port in _needed(given, given.workload(service)):
            if name in {each.name for each in given.workloads}:
                assert (service, port) in _let_in(given, given.workload(name)), (service, name)


def test_nobody_else_is_let_in(given: Overlay) -> None:
    needed = {
        (service, name, port)
        for service in ROOMS
        for name, port in _needed(given, given.workload(service))
    }
    for work in given.workloads:
        for who, port in _let_in(given, work):
            scrape = who == "monitoring" and port in {9100, 8002}
            people = (who, work.name, port) == ("ingress", "api", 8080)
            topics = (who, work.name) == ("topics", "kafka")
            assert scrape or topics or people or (who, work.name, port) in needed, (
                who,
                work.name,
                port,
            )


def test_everything_is_closed_unless_a_policy_opens_it(given: Overlay) -> None:
    closed = given.named("NetworkPolicy")["default-deny"]["spec"]
    assert closed == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def _needed(given: Overlay, work: Workload) -> set[Way]:
    """Return where the addresses among a service's settings lead."""
    found = set()
    for name, value in given.environment(work.pod["containers"][0]).items():
        if not (name.startswith("RESIGHT_") and name.endswith(ADDRESSES)):
            continue
        for address in value.split(","):
            if address.startswith(("s3://", "gs://", "az://")):
                found.add((OUTSIDE, 443))
            elif not address.startswith("file://"):
                found.add(_at(given, address))
    return found


def _at(given: Overlay, address: str) -> Way:
    target = address.removeprefix("dns:///")
    parts = urlsplit(target if "://" in target else f"//{target}")
    assert parts.hostname, address
    assert parts.port, address
    service = given.named("Service").get(parts.hostname)
    if service is None:
        labels, port = FOREIGN[parts.hostname]
        assert port == parts.port
        return str(sorted(labels.items())), port
    (work,) = given.matching({"matchLabels": service["spec"]["selector"]})
    (port,) = [each for each in service["spec"]["ports"] if each["port"] == parts.port]
    (number,) = [
        each["containerPort"]
        for each in work.pod["containers"][0]["ports"]
        if each["name"] == port["targetPort"]
    ]
    return work.name, number


def _policies(given: Overlay, work: Workload, direction: str) -> list[dict[str, Any]]:
    return [
        each["spec"]
        for each in given.of("NetworkPolicy")
        if direction in each["spec"]["policyTypes"]
        and selects(each["spec"]["podSelector"], work.labels)
    ]


def _allowed(given: Overlay, work: Workload) -> set[Way]:
    """Return where the policies let a workload's pods go."""
    return _ways(given, work, "Egress", "to")


def _let_in(given: Overlay, work: Workload) -> set[Way]:
    """Return who may come to a workload's pods, and to which port."""
    return _ways(given, work, "Ingress", "from")


def _ways(given: Overlay, work: Workload, direction: str, side: str) -> set[Way]:
    return {
        (name, port["port"])
        for policy in _policies(given, work, direction)
        for rule in policy.get(direction.lower(), [])
        for peer in rule[side]
        for name in _peers(given, peer)
        for port in rule["ports"]
    }


def _peers(given: Overlay, peer: dict[str, Any]) -> list[str]:
    if "ipBlock" in peer:
        assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"} <= set(peer["ipBlock"]["except"])
        return [OUTSIDE]
    if "namespaceSelector" in peer:
        where = peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
        return [NAMES if where == "kube-system" else where]
    ours = given.matching(peer["podSelector"])
    return [each.name for each in ours] or [str(sorted(peer["podSelector"]["matchLabels"].items()))]

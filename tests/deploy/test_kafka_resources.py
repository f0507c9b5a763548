"""Topics, users and scalers are those of the code."""

from typing import Any

import pytest

from services.registry.api import picture_query
from shared.kafka import topics
from shared.kafka.clients import DEAD_LETTER_BYTES, MESSAGE_BYTES
from shared.stage.dead_letters import REPLAY_GROUP
from tests.deploy.rendered import ROOT, SERVICES, Overlay, overlay

EVERY = [*topics.ALL, *topics.dead_letter_topics()]
DAY = 24 * 3600 * 1000


@pytest.fixture
def prod() -> Overlay:
    return overlay("prod")


def _written() -> dict[str, tuple[int, int]]:
    lines = (ROOT / "deploy" / "kafka" / "topics.tsv").read_text().splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return {topic: (int(retention), int(size)) for topic, retention, size in rows}


def test_every_topic_is_created_with_room_for_its_messages() -> None:
    assert list(_written()) == EVERY
    for topic, (_, size) in _written().items():
        letters = topics.is_dead_letters(topic)
        assert size == (DEAD_LETTER_BYTES if letters else MESSAGE_BYTES), topic


def test_strimzi_s_topics_are_the_same(prod: Overlay) -> None:
    resources = prod.named("KafkaTopic")
    made = {
        name: (
            resources[name]["spec"]["config"]["retention.ms"],
            resources[name]["spec"]["config"]["max.message.bytes"],
        )
        for name in EVERY
    }
    assert made == _written()
    assert set(resources) == set(EVERY)
    broker = prod.named("Kafka")["resight"]["spec"]["kafka"]["config"]
    assert broker["message.max.bytes"] >= DEAD_LETTER_BYTES


def test_enrolments_stay_for_ever_and_nothing_goes_within_a_week() -> None:
    retention = {topic: kept for topic, (kept, _) in _written().items()}
    assert retention.pop(topics.ENROLMENTS) == -1
    assert min(retention.values()) >= 7 * DAY


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_s_user_may_do_what_it_does_and_nothing_else(prod: Overlay, service: str) -> None:
    inputs = topics.INPUTS[service]
    expected = {("topic", topic, "Read") for topic in inputs}
    expected |= {("topic", topic, "Write") for topic in topics.OUTPUTS[service]}
    expected |= {("topic", topics.dead_letters(topic, service), "Write") for topic in inputs}
    expected |= {("group", name, "Read") for name in (service, f"{service}.suspects")}
    if service == "lookup":  # it tells from the lag of those after it how far it may run ahead
        expected |= {("group", name, "Describe") for name in ("matcher", "registry")}
        expected |= {("topic", topics.MATCHES, "Describe")}
    if service == "registry":  # its outbox looks up what it has published
        expected |= {("topic", name, "Read") for name in (topics.DECISIONS, topics.ENROLMENTS)}
        expected |= {("group", "registry-outbox", "Read")}
    assert _rights(prod, service) == expected


def test_who_uploads_can_only_upload(prod: Overlay) -> None:
    assert _rights(prod, "uploader") == {("topic", topics.CAPTURES, "Write")}


def test_the_api_may_replay_letters_and_hear_answers(prod: Overlay) -> None:
    rights = _rights(prod, "api")
    assert {("topic", "resight.*", "Read"), ("topic", "resight.*", "Write")} <= rights
    groups = {name for kind, name, _ in rights if kind == "group"}
    assert groups == {REPLAY_GROUP, "registry-outbox", picture_query.NAME, "feed", *topics.INPUTS}
    for name in topics.INPUTS:  # how far each service is behind, and no more
        assert [what for _, group, what in rights if group == name] == ["Describe"]


def test_who_operates_may_replay_letters(prod: Overlay) -> None:
    rights = _rights(prod, "operator")
    assert {("topic", "resight.*", "Read"), ("topic", "resight.*", "Write")} <= rights
    assert ("group", REPLAY_GROUP, "Read") in rights


def _rights(prod: Overlay, user: str) -> set[tuple[str, str, str]]:
    resource = prod.named("KafkaUser")[user]
    return {
        (rule["resource"]["type"], _pattern(rule["resource"]), operation)
        for rule in resource["spec"]["authorization"]["acls"]
        for operation in rule["operations"]
    }


def _pattern(resource: dict[str, Any]) -> str:
    return str(resource["name"]) + ("*" if resource["patternType"] == "prefix" else "")


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_scales_on_the_lag_of_all_its_topics_up_to_their_partitions(
    prod: Overlay, service: str
) -> None:
    spec = prod.named("ScaledObject")[service]["spec"]
    partitions = {
        prod.named("KafkaTopic")[topic]["spec"]["partitions"] for topic in topics.INPUTS[service]
    }
    assert spec["scaleTargetRef"]["name"] in prod.named("Deployment")
    assert 1 <= spec["minReplicaCount"] <= spec["maxReplicaCount"] <= min(partitions)
    told = [trigger["metadata"] for trigger in spec["triggers"]]
    assert [each["topic"] for each in told] == list(topics.INPUTS[service])
    for each in told:
        assert each["consumerGroup"] == service
        assert each["limitToPartitionsWithLag"] == each["excludePersistentLag"] == "true"
    down = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"]
    assert down["stabilizationWindowSeconds"] >= 300


def test_what_is_scaled_has_no_number_of_its_own(prod: Overlay) -> None:
    for name in (*SERVICES, "triton"):
        assert "replicas" not in prod.named("Deployment")[name]["spec"]


def test_triton_scales_by_a_metric_that_the_adapter_makes(prod: Overlay) -> None:
    (scaler,) = prod.of("HorizontalPodAutoscaler")
    assert scaler["apiVersion"] == "autoscaling/v2"
    assert scaler["spec"]["scaleTargetRef"]["name"] in prod.named("Deployment")
    (metric,) = scaler["spec"]["metrics"]
    adapter = (ROOT / "deploy" / "prometheus" / "adapter.yaml").read_text()
    assert f"as: {metric['pods']['metric']['name']}" in adapter

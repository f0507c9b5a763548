"""A bare JPEG from a Kafka client that is not ours is answered with a decision."""

import json
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer

from resight.stack.profile import Profile, choose_ports
from resight.stack.supervisor import Supervisor
from shared.messages import OUTCOME_NEW, VIEWPOINT_LEFT, Decision
from tests.pictures import coat


@pytest.mark.timeout(240)
def test_a_bare_jpeg_published_by_confluent_kafka_gets_its_decision(tmp_path: Path) -> None:
    reports: list[str] = []
    supervisor = Supervisor(
        Profile(tmp_path / "stack", tmp_path / "models", choose_ports(0)), reports.append
    )
    supervisor.start()
    try:
        servers = supervisor.state.bootstrap_servers
        client = Producer({"bootstrap.servers": servers})
        headers = {
            "content-type": "image/jpeg",
            "deployment": "gate",
            "species": "plains zebra",
            "viewpoint": "left",
            "capture-id": "IMG_0001",
        }
        client.produce("resight.captures.v1", coat(), headers=list(headers.items()))
        assert client.flush(30) == 0
        decision = _decision(servers, supervisor)
    finally:
        supervisor.stop()
    assert (decision.capture_id, decision.deployment) == ("IMG_0001", "gate")
    assert decision.gallery == "default/plains-zebra"
    assert decision.viewpoint == VIEWPOINT_LEFT
    assert decision.outcome == OUTCOME_NEW, json.dumps(reports)
    assert decision.individual == "plains-zebra-0001"


def _decision(servers: str, supervisor: Supervisor) -> Decision:
    consumer = Consumer(
        {"bootstrap.servers": servers, "group.id": "them", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe(["resight.decisions.v1"])
    try:
        while (message := consumer.poll(1.0)) is None or message.error():
            supervisor.tick()
        return Decision.FromString(message.value() or b"")
    finally:
        consumer.close()

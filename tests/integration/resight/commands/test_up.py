"""`resight up` for real: it starts, publishes, decides, mends what breaks, and leaves nothing."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer

from resight.connections import open_ledger
from resight.stack_state import running
from shared.kafka.topics import CAPTURES, DECISIONS
from shared.messages import OUTCOME_NEW, VIEWPOINT_LEFT, Decision
from tests.support.samples.model_files import NAME, tiny_model
from tests.support.samples.pictures import coat
from tests.support.servers.embedded_stack import (
    SECONDS,
    Up,
    coats,
    decisions,
    gone,
    resight,
    start,
    started,
)
from tests.support.waiting import wait_until

PICTURES = 3
# Those, and one of a client that is not ours.
DECIDED = PICTURES + 1


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return coats(tmp_path_factory.mktemp("gate"), PICTURES)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory, encoder_file: Path) -> Iterator[Up]:
    with started(tmp_path_factory.mktemp("up") / "data", encoder_file) as up:
        yield up


def test_published_pictures_are_decided(up: Up, pictures: Path) -> None:
    (sent,) = resight("publish", pictures, "--data-dir", up.folder)
    assert sent["published"] == PICTURES
    made = decisions(up.folder, PICTURES)
    assert len(made) == PICTURES
    (status,) = resight("status", "--data-dir", up.folder)
    assert all(service["ready"] for service in status["services"].values())
    assert status["dead_letters"] == 0


def test_a_bare_jpeg_of_a_client_that_is_not_ours_gets_its_decision(up: Up) -> None:
    state = running(up.folder)
    assert state is not None
    client = Producer({"bootstrap.servers": state.bootstrap_servers})
    headers = {
        "content-type": "image/jpeg",
        "deployment": "gate",
        "species": "plains zebra",
        "viewpoint": "left",
        "capture-id": "IMG_0001",
    }
    client.produce(CAPTURES, coat(), headers=list(headers.items()))
    assert client.flush(30) == 0
    decision = _decision("IMG_0001", state.bootstrap_servers)
    assert decision.deployment == "gate"
    assert decision.gallery == "default/plains-zebra"
    assert decision.viewpoint == VIEWPOINT_LEFT
    assert decision.outcome == OUTCOME_NEW
    assert decision.individual == "plains-zebra-0001"


def _decision(capture: str, servers: str) -> Decision:
    """Return the decision about a capture, as a client that is not ours hears it."""
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": "them",
            "auto.offset.reset": "earliest",
            "session.timeout.ms": 6000,  # the embedded broker lets a first join wait for half of it
        }
    )
    consumer.subscribe([DECISIONS])
    found: list[Decision] = []

    def heard() -> bool:
        message = consumer.poll(1.0)
        if message is not None and not message.error():
            found.append(Decision.FromString(message.value() or b""))
        return bool(found) and found[-1].capture_id == capture

    try:
        wait_until(heard, told=lambda: f"{len(found)} other decisions")
    finally:
        consumer.close()
    return found[-1]


def test_a_second_stack_does_not_start_in_the_same_folder(up: Up) -> None:
    command = [sys.executable, "-m", "resight", "up", "--data-dir", str(up.folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 1
    assert "already running" in done.stderr
    assert "Traceback" not in done.stderr
    assert running(up.folder) is not None


def test_a_service_that_is_killed_comes_back(up: Up) -> None:
    killed = up.child("services.matcher.main")
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: killed not in up.children().values())
    wait_until(lambda: any("services.matcher" in command for command in up.children()))
    wait_until(
        lambda: resight("status", "--data-dir", up.folder)[0]["services"]["matcher"]["ready"]
    )


def test_a_broker_that_is_killed_comes_back_with_all_decisions(up: Up, pictures: Path) -> None:
    before = decisions(up.folder, DECIDED)
    services = [pid for command, pid in up.children().items() if "services." in command]
    os.kill(up.child("tansu"), signal.SIGKILL)
    wait_until(lambda: gone(services))
    wait_until(lambda: len(up.children()) == 9)
    assert decisions(up.folder, DECIDED) == before
    # Captures that were lost with it are published again, and stay the same sightings.
    resight("publish", pictures, "--data-dir", up.folder)
    again = resight(
        "watch", "--from-beginning", "--limit", DECIDED + PICTURES, "--data-dir", up.folder
    )
    assert {row["sighting_id"]: row for row in again} == before


def test_what_it_knows_survives_a_stop_and_another_model_takes_it_over(
    up: Up, tmp_path: Path
) -> None:
    before = decisions(up.folder, DECIDED)
    pids = list(up.children().values())
    up.process.terminate()
    assert up.process.wait(SECONDS) == 0
    assert gone(pids)
    assert running(up.folder) is None

    again = start(up.folder, "--model", tiny_model(tmp_path / "tiny.onnx"))
    try:
        assert decisions(up.folder, DECIDED) == before
        state = running(up.folder)
        assert state is not None
        with open_ledger(state.ledger_url) as ledger:
            enrolled = [
                entry.enrolment.embedding.model.name
                for gallery in ledger.galleries()
                for entry in ledger.entries(gallery)
                if entry.enrolment
            ]
        assert len(enrolled) > 0
        assert set(enrolled) == {NAME}
        pids = list(again.children().values())
        assert len(pids) == 9
    finally:
        again.process.kill()
        again.process.wait()
    wait_until(lambda: gone(pids))
    assert running(up.folder) is None

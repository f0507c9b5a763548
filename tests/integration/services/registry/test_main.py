"""The registry as a process: matches in, decisions out, and an outbox that empties."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from kafka import TopicPartition

from embedded.servers import HOST, broker, free_port
from services.registry.ledger.audit import check
from services.registry.outbox.broker import Broker
from shared.kafka import topics
from shared.kafka.clients import consumer, ensure_topics
from shared.messages import CandidateList, Decision, Enrolment
from shared.settings import KafkaSettings
from tests.support.queries import GALLERY, ledger_at, matches, sighting

ROOT = Path(__file__).parents[4]
SECONDS = 60


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[KafkaSettings]:
    """A broker with empty topics of its own: another test's matches are not for this ledger."""
    server = broker(tmp_path / "broker", free_port())
    process = server.start()
    settings = KafkaSettings(
        bootstrap_servers=f"{HOST}:{server.port}", producer_batch_bytes=0, session_timeout_seconds=6
    )
    ensure_topics(settings, [*topics.ALL, *topics.dead_letter_topics()], 1)
    yield settings
    process.kill()
    process.wait()


@pytest.fixture
def process(kafka: KafkaSettings, ledger_url: str) -> Iterator["subprocess.Popen[bytes]"]:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("RESIGHT_")},
        "RESIGHT_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "RESIGHT_KAFKA_PRODUCER_BATCH_BYTES": "0",
        "RESIGHT_KAFKA_SESSION_TIMEOUT_SECONDS": "6",
        "RESIGHT_LEDGER_URL": ledger_url,
        "RESIGHT_TELEMETRY_PORT": "0",
    }
    service = subprocess.Popen(
        [sys.executable, "-m", "services.registry.main"], cwd=ROOT, env=environment
    )
    yield service
    service.kill()
    service.wait()


def _first(kafka: KafkaSettings, *names: str) -> dict[str, bytes]:
    """Wait for the first record of each topic."""
    partitions = [TopicPartition(name, 0) for name in names]
    found: dict[str, bytes] = {}
    deadline = time.monotonic() + SECONDS
    with closing(consumer(kafka, "reader")) as client:
        client.assign(partitions)
        client.seek_to_beginning(*partitions)
        while len(found) < len(names):
            assert time.monotonic() < deadline, f"only {sorted(found)} after {SECONDS} s"
            for partition, records in client.poll(200).items():
                found.setdefault(partition.topic, records[0].value)
    return found


def test_matches_become_a_decision_and_a_later_pass(
    kafka: KafkaSettings, ledger_url: str, process: "subprocess.Popen[bytes]"
) -> None:
    with closing(Broker(kafka)) as client:
        client.publish([matches(sighting("first")), matches(sighting("second"))])
    found = _first(kafka, topics.DECISIONS, topics.ENROLMENTS, topics.CANDIDATES)
    process.send_signal(signal.SIGTERM)
    assert process.wait(SECONDS) == 0

    decision = Decision.FromString(found[topics.DECISIONS])
    assert (decision.sighting_id, decision.individual) == ("first", "plains-zebra-0001")
    assert Enrolment.FromString(found[topics.ENROLMENTS]).number == decision.enrolment_number == 1
    later = CandidateList.FromString(found[topics.CANDIDATES])
    assert later.query.sighting_id == "second"
    assert [item.sighting_id for item in later.candidates] == ["first"]

    ledger = ledger_at(ledger_url)
    assert check(ledger, GALLERY) == []
    assert list(ledger.outbox(GALLERY)) == []
    assert {proof.topic for proof in ledger.proofs(GALLERY)} == {
        topics.DECISIONS,
        topics.ENROLMENTS,
    }

"""The registry as a process: matches in, decisions out, and an outbox that empties."""

import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from services.registry.ledger.audit import check
from services.registry.outbox.broker import Broker
from shared.kafka import topics
from shared.messages import CandidateList, Decision, Enrolment
from shared.settings import KafkaSettings
from tests.support.queries import GALLERY, ledger_at, matches, sighting
from tests.support.servers.service_process import own_broker, records, service_process, terminated

ROOT = Path(__file__).parents[4]
SECONDS = 60


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[KafkaSettings]:
    with own_broker(tmp_path, *topics.ALL, *topics.dead_letter_topics()) as settings:
        yield settings


@pytest.fixture
def process(kafka: KafkaSettings, ledger_url: str) -> Iterator["subprocess.Popen[bytes]"]:
    with service_process(
        "services.registry.main", {"RESIGHT_LEDGER_URL": ledger_url}, kafka
    ) as service:
        yield service


def _first(kafka: KafkaSettings, topic: str) -> bytes:
    [found] = records(kafka, topic)
    return found.value or b""


def test_matches_become_a_decision_and_a_later_pass(
    kafka: KafkaSettings, ledger_url: str, process: "subprocess.Popen[bytes]"
) -> None:
    with closing(Broker(kafka)) as client:
        client.publish([matches(sighting("first")), matches(sighting("second"))])
    decision = Decision.FromString(_first(kafka, topics.DECISIONS))
    enrolled = Enrolment.FromString(_first(kafka, topics.ENROLMENTS))
    later = CandidateList.FromString(_first(kafka, topics.CANDIDATES))
    assert terminated(process) == 0

    assert (decision.sighting_id, decision.individual) == ("first", "plains-zebra-0001")
    assert enrolled.number == decision.enrolment_number == 1
    assert later.query.sighting_id == "second"
    assert [item.sighting_id for item in later.candidates] == ["first"]

    ledger = ledger_at(ledger_url)
    assert check(ledger, GALLERY) == []
    assert list(ledger.outbox(GALLERY)) == []
    assert {proof.topic for proof in ledger.proofs(GALLERY)} == {
        topics.DECISIONS,
        topics.ENROLMENTS,
    }

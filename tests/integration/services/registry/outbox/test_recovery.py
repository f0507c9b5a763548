"""No decision is lost with the broker: the ledger publishes what it can't prove was taken."""

import gc
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from google.protobuf.message import Message
from kafka import TopicPartition

from embedded.servers import HOST, broker, free_port
from services.registry import main
from services.registry.identity.sighting import enrolment_of
from services.registry.ledger.ledger import Ledger
from services.registry.outbox.broker import Broker
from services.registry.outbox.continuity import Continuity
from services.registry.outbox.recovery import recover
from shared.errors import Poison, Transient
from shared.kafka import topics
from shared.kafka.clients import consumer, ensure_topics
from shared.messages import OUTCOME_NEW, Decision, Enrolment
from shared.settings import KafkaSettings
from tests.support.queries import GALLERY, ledger_at, matches, registry, sighting

TOPICS = (topics.DECISIONS, topics.ENROLMENTS)
COUNT = 20


@pytest.fixture
def kafka() -> KafkaSettings:
    return KafkaSettings(
        bootstrap_servers=f"{HOST}:{free_port()}", producer_batch_bytes=0, request_timeout_seconds=5
    )


@pytest.fixture
def fresh_broker(kafka: KafkaSettings, tmp_path: Path) -> Iterator[Callable[[], None]]:
    """Replaces the broker by an empty one on the same port."""
    port = int(kafka.bootstrap_servers.rpartition(":")[2])
    server = broker(tmp_path, port)
    running = []

    def replace() -> None:
        end()
        running.append(server.start())
        ensure_topics(kafka, TOPICS, 1)

    def end() -> None:
        for process in running:
            process.kill()
            process.wait()
        running.clear()

    yield replace
    end()


def _decide(ledger: Ledger, count: int) -> list[Message]:
    """Decide about so many new animals; nothing is published."""
    service = registry(ledger)
    published: list[Message] = []
    for _ in range(count):
        known = ledger.count(GALLERY, "enrolments")
        (result,) = service.handle([matches(sighting(f"s{known}"), watermark=known)])
        assert not isinstance(result, Poison)
        published += result
    return published


def _publish(kafka: KafkaSettings, ledger: Ledger, messages: Sequence[Message]) -> None:
    """Publish and acknowledge as the stage does."""
    with closing(Broker(kafka)) as client:
        registry(ledger).acknowledged(client.publish(messages))


def _recover(kafka: KafkaSettings, ledger: Ledger) -> int:
    with closing(Broker(kafka)) as client:
        return recover(ledger, client)


def _held(kafka: KafkaSettings, topic: str) -> list[bytes]:
    """Everything that the broker has in a topic, in order."""
    partition = TopicPartition(topic, 0)
    with closing(consumer(kafka, "reader")) as client:
        client.assign([partition])
        client.seek_to_beginning(partition)
        end = client.end_offsets([partition])[partition]
        values: list[bytes] = []
        while len(values) < end:
            polled = client.poll(5000)
            assert polled, f"{topic} gave {len(values)} of {end} records"
            values += [record.value for record in polled[partition]]
    return values


def _bytes(messages: Sequence[Message], kind: type[Message]) -> list[bytes]:
    return [m.SerializeToString(deterministic=True) for m in messages if isinstance(m, kind)]


def test_a_broker_that_lost_everything_gets_every_decision_again_in_order(
    ledger_url: str, kafka: KafkaSettings, fresh_broker: Callable[[], None]
) -> None:
    ledger = ledger_at(ledger_url)
    fresh_broker()
    messages = _decide(ledger, COUNT)
    _publish(kafka, ledger, messages)
    assert _recover(kafka, ledger) == 0

    fresh_broker()
    assert _held(kafka, topics.DECISIONS) == []
    assert _recover(kafka, ledger) == COUNT
    assert _held(kafka, topics.DECISIONS) == _bytes(messages, Decision)
    assert _held(kafka, topics.ENROLMENTS) == _bytes(messages, Enrolment)
    assert _recover(kafka, ledger) == 0


def test_other_records_in_place_of_the_lost_ones_are_noticed(
    ledger_url: str, kafka: KafkaSettings, fresh_broker: Callable[[], None]
) -> None:
    ledger = ledger_at(ledger_url)
    fresh_broker()
    _publish(kafka, ledger, _decide(ledger, 3))
    fresh_broker()
    # The registry went on without a restart: the new broker has only what came since.
    _publish(kafka, ledger, _decide(ledger, 4))
    assert _recover(kafka, ledger) == 7


def test_only_what_was_not_acknowledged_is_published_by_a_sound_broker(
    ledger_url: str, kafka: KafkaSettings, fresh_broker: Callable[[], None]
) -> None:
    ledger = ledger_at(ledger_url)
    fresh_broker()
    taken = _decide(ledger, 5)
    _publish(kafka, ledger, taken)
    crashed = _decide(ledger, 2)
    assert _recover(kafka, ledger) == 2
    assert _held(kafka, topics.DECISIONS) == _bytes([*taken, *crashed], Decision)
    assert _held(kafka, topics.ENROLMENTS) == _bytes([*taken, *crashed], Enrolment)


def test_a_recovery_that_is_interrupted_goes_on_later(
    ledger_url: str, kafka: KafkaSettings, fresh_broker: Callable[[], None]
) -> None:
    ledger = ledger_at(ledger_url)
    fresh_broker()
    messages = _decide(ledger, 3)
    _publish(kafka, ledger, messages)
    ledger.reopen(GALLERY)  # found the loss, and died
    assert _recover(kafka, ledger) == 3
    assert ledger.proofs(GALLERY) != []
    assert _recover(kafka, ledger) == 0


@pytest.fixture
def collected(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """kafka-python leaves the sockets of failed connections to the collector: let them go.

    Its log records hold the errors, and those the sockets.
    """
    caplog.set_level(logging.CRITICAL, logger="kafka")
    yield
    gc.collect()


@pytest.mark.usefixtures("collected")
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_without_a_broker_the_start_waits_for_one(
    ledger_url: str, kafka: KafkaSettings, fresh_broker: Callable[[], None]
) -> None:
    ledger = ledger_at(ledger_url)
    messages = _decide(ledger, 2)
    with pytest.raises(Transient):
        main.prepare(ledger, kafka, Continuity(ledger, kafka), lambda _: None)
    fresh_broker()
    main.prepare(ledger, kafka, Continuity(ledger, kafka), lambda _: None)
    assert _held(kafka, topics.DECISIONS) == _bytes(messages, Decision)


def test_an_entry_that_no_topic_takes_holds_up_no_other_and_no_start(
    ledger_url: str,
    kafka: KafkaSettings,
    fresh_broker: Callable[[], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    fresh_broker()
    ledger = ledger_at(ledger_url)
    large = sighting("large")
    messages = _decide(ledger, 2)
    decision = Decision(gallery=GALLERY, sighting_id="large", species="x" * 40_000_000)
    decision.outcome = OUTCOME_NEW
    ledger.decide(decision, enrolment_of(large), 2)
    messages += _decide(ledger, 2)
    for _ in range(2):
        main.prepare(ledger, kafka, Continuity(ledger, kafka), lambda _: None)
    held = list(dict.fromkeys(_held(kafka, topics.DECISIONS)))  # some came twice
    assert held == _bytes(messages, Decision)
    assert "entry 3 of gallery default/plains-zebra is too large" in caplog.text
    assert [len(chunk) for chunk in ledger.outbox(GALLERY)] == [1]

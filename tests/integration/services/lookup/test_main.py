"""Lookup as a process: paced by its followers, and refilled when its gallery is gone."""

import gc
import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from google.protobuf.message import Message
from kafka import KafkaConsumer, TopicPartition
from kafka.structs import OffsetAndMetadata

from embedded.servers import HOST, broker, free_port
from services.lookup.backlog import Backlog
from shared.errors import Transient
from shared.kafka import topics
from shared.kafka.clients import consumer, ensure_topics, producer
from shared.messages import CandidateList, Matches
from shared.settings import KafkaSettings
from tests.support.galleries import enrolment, sighting
from tests.support.servers.service_process import own_broker, service_process, terminated
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[4]
LIMIT = 4


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[KafkaSettings]:
    with own_broker(tmp_path, *topics.ALL, *topics.dead_letter_topics(), partitions=2) as settings:
        yield settings


def publish(kafka: KafkaSettings, *messages: Message) -> None:
    client = producer(kafka)
    for message in messages:
        to = topics.address(message)
        client.send(to.topic, key=to.key.encode(), value=message.SerializeToString()).get(10)
    client.close()


def commit_all(kafka: KafkaSettings, group: str, topic: str) -> None:
    """Commit as a follower does that has taken everything."""
    client = consumer(kafka, group)
    partitions = [TopicPartition(topic, p) for p in (0, 1)]
    client.assign(partitions)
    ends = client.end_offsets(partitions)
    client.commit({p: OffsetAndMetadata(ends[p], "", -1) for p in partitions})
    client.close()


class Answers:
    """The candidate lists published so far."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._client: KafkaConsumer = consumer(kafka, "test")
        self._client.assign([TopicPartition(topics.CANDIDATES, p) for p in (0, 1)])
        self._client.seek_to_beginning()
        self.lists: list[CandidateList] = []

    def wait(self, done: Callable[[list[CandidateList]], bool]) -> None:
        def read() -> bool:
            for records in self._client.poll(100).values():
                self.lists += [CandidateList.FromString(r.value) for r in records]
            return done(self.lists)

        wait_until(read, told=lambda: f"{len(self.lists)} lists", pause=0)

    def close(self) -> None:
        self._client.close()


@contextmanager
def running(kafka: KafkaSettings, gallery: Path) -> Iterator[None]:
    """Run the service; it must end cleanly."""
    with service_process(
        "services.lookup.main",
        {
            "RESIGHT_GALLERY_PATH": str(gallery),
            "RESIGHT_BLOBS_CROPS_URL": (gallery.parent / "crops").as_uri(),
            "RESIGHT_LOOKUP_MAX_UNDECIDED": str(LIMIT),
        },
        kafka,
    ) as process:
        yield
        assert terminated(process) == 0


def test_the_backlog_is_what_matcher_and_registry_have_not_taken(kafka: KafkaSettings) -> None:
    backlog = Backlog(kafka)
    assert backlog() == 0
    publish(kafka, *(CandidateList(query=sighting(n)) for n in range(3)))
    publish(kafka, *(Matches(query=sighting(n)) for n in range(2)))
    assert backlog() == 5
    commit_all(kafka, "matcher", topics.CANDIDATES)
    assert backlog() == 2
    commit_all(kafka, "registry", topics.MATCHES)
    assert backlog() == 0
    backlog.close()


@pytest.fixture
def collected(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Let sockets of refused connections, which the client never closes, go within the test.

    What the client logs about them would hold them past its end.
    """
    caplog.set_level(logging.CRITICAL, "kafka")
    yield
    gc.collect()


@pytest.mark.usefixtures("collected")
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_a_broker_that_is_away_is_transient_and_asked_again_later(tmp_path: Path) -> None:
    port = free_port()
    kafka = KafkaSettings(bootstrap_servers=f"{HOST}:{port}")
    backlog = Backlog(kafka)
    with pytest.raises(Transient, match="RESIGHT_KAFKA_BOOTSTRAP_SERVERS"):
        backlog()
    process = broker(tmp_path / "broker", port).start()
    ensure_topics(kafka, topics.ALL, 2)
    assert backlog() == 0
    backlog.close()
    process.kill()
    process.wait()


def test_sightings_wait_for_decisions_but_enrolments_do_not(
    kafka: KafkaSettings, tmp_path: Path
) -> None:
    answers = Answers(kafka)
    publish(kafka, *(CandidateList(query=sighting(1000 + n)) for n in range(LIMIT)))
    publish(kafka, *(sighting(100 + n) for n in range(2)))
    publish(kafka, *(enrolment(n) for n in range(1, 6)))
    with running(kafka, tmp_path / "gallery"):
        wait_until(lambda: _lag(kafka, topics.ENROLMENTS) == 0)
        assert _lag(kafka, topics.SIGHTINGS) == 2
        commit_all(kafka, "matcher", topics.CANDIDATES)
        answers.wait(lambda lists: len(lists) == LIMIT + 2)
    assert all(found.watermark == 5 for found in answers.lists[LIMIT:])
    answers.close()


def test_a_gallery_that_is_gone_is_refilled_from_enrolments_that_were_committed(
    kafka: KafkaSettings, tmp_path: Path
) -> None:
    answers = Answers(kafka)
    publish(kafka, *(enrolment(n) for n in range(1, 6)))
    with running(kafka, tmp_path / "gallery"):
        wait_until(lambda: _lag(kafka, topics.ENROLMENTS) == 0)
    shutil.rmtree(tmp_path / "gallery")
    with running(kafka, tmp_path / "gallery"):
        number = 100

        def refilled(lists: list[CandidateList]) -> bool:
            nonlocal number
            commit_all(kafka, "matcher", topics.CANDIDATES)
            publish(kafka, sighting(number))
            number += 1
            return any(found.watermark == 5 for found in lists)

        answers.wait(refilled)
    answers.close()


def _lag(kafka: KafkaSettings, topic: str) -> int:
    """Return lookup's lag on a topic."""
    partitions = [TopicPartition(topic, p) for p in (0, 1)]
    with closing(consumer(kafka, "lookup")) as client:
        ends = client.end_offsets(partitions)
        return int(sum(ends[p] - (client.committed(p) or 0) for p in partitions))

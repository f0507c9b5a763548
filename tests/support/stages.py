"""Stages of the tests: a handler that remembers, and a group with topics of its own."""

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message
from kafka import TopicPartition

from shared.kafka import topics
from shared.kafka.clients import consumer, ensure_topics, producer
from shared.messages import Decision, Sighting
from shared.records import Receipt, Result
from shared.settings import KafkaSettings, StageSettings, TelemetrySettings
from shared.stage.dead_letters import DeadLetter, read
from shared.stage.handling import protobuf_decoder
from shared.stage.loop import Stage


@dataclass
class Recorder:
    """Answers with `answer` and remembers what it was given."""

    answer: Callable[[Sequence[Sighting]], Sequence[Result]]
    batches: list[list[str]] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)

    def handle(self, messages: Sequence[Message]) -> Sequence[Result]:
        sightings = [message for message in messages if isinstance(message, Sighting)]
        self.batches.append([sighting.sighting_id for sighting in sightings])
        return self.answer(sightings)

    def acknowledged(self, receipts: Sequence[Receipt]) -> None:
        self.receipts += receipts

    def ready(self) -> bool:
        return True

    @property
    def seen(self) -> list[str]:
        return [name for batch in self.batches for name in batch]


def nothing_follows(sightings: Sequence[Sighting]) -> list[Result]:
    return [[] for _ in sightings]


def decided(sightings: Sequence[Sighting]) -> list[Result]:
    return [
        [Decision(sighting_id=sighting.sighting_id, deployment=sighting.deployment)]
        for sighting in sightings
    ]


class Room:
    """One group with topics of its own on the shared broker."""

    def __init__(self, kafka: KafkaSettings, partitions: int = 1, more: int = 0) -> None:
        self.kafka = kafka
        self.name = f"group-{uuid.uuid4().hex[:8]}"
        self.topics = [f"{self.name}.in{number}" for number in range(1 + more)]
        self.topic = self.topics[0]
        self.dlq = topics.dead_letters(self.topic, self.name)
        ensure_topics(kafka, [*self.topics, self.dlq, topics.DECISIONS], partitions)
        self.producer = producer(kafka)

    def send(self, *names: str, topic: str = "", headers: Any = None, padding: int = 0) -> None:
        for name in names:
            sighting = Sighting(sighting_id=name, deployment=self.name, capture_id="x" * padding)
            value = sighting.SerializeToString()
            self.producer.send(topic or self.topic, value, b"camera", headers).get(20)

    def stage(self, handler: Recorder, **options: Any) -> Stage[Any]:
        quick = {"backoff_seconds": 0.2, "backoff_limit_seconds": 1}
        settings = StageSettings.model_validate({**quick, **options.pop("settings", {})})
        return Stage(
            name=self.name,
            decoders={topic: protobuf_decoder(Sighting) for topic in self.topics},
            handler=handler,
            kafka=self.kafka,
            settings=settings,
            telemetry=TelemetrySettings.model_validate({"port": 0}),
            **options,
        )

    def committed(self, topic: str = "") -> int | None:
        client = consumer(self.kafka, self.name)
        offset: int | None = client.committed(TopicPartition(topic or self.topic, 0))
        client.close()
        return offset

    def letters(self) -> list[DeadLetter]:
        return list(read(self.kafka, [self.dlq]))


def once(*topics: str) -> Callable[[], frozenset[str]]:
    """Topics that are to be read anew, the first time that it is asked."""
    waiting = [frozenset(topics)]
    return lambda: waiting.pop() if waiting else frozenset()


@contextmanager
def running(stage: Stage[Any]) -> Iterator[threading.Thread]:
    """Run a stage in a thread; an error it raises is the test's error."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            stage.run()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run, name="stage")
    thread.start()
    try:
        yield thread
    finally:
        stage.stop()
        thread.join(30)
    if raised:
        raise raised[0]

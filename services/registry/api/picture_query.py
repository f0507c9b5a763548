"""Identifies a picture through the running system: publishes it and waits for the answer."""

import logging
import threading
from contextlib import closing
from uuid import uuid4

from google.protobuf.message import DecodeError
from kafka import TopicPartition

from shared.errors import Transient
from shared.kafka import topics
from shared.kafka.clients import broker_errors, consumer, delivery_seconds, producer
from shared.kafka.topics import ANSWERS
from shared.messages import Answer, Capture
from shared.settings import KafkaSettings

NAME = "answers"
POLL_SECONDS = 0.5
# An unused listener leaves after this time.
IDLE_SECONDS = 300.0

log = logging.getLogger(__name__)


class PictureQuery:
    """Thread-safe, for several queries at once. Connects with the first one."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka.model_copy(update={"instance_id": ""})
        self._waiting: dict[str, _Waiting] = {}
        self._lock = threading.Lock()
        self._listening: threading.Event | None = None

    def ask(self, capture: Capture, seconds: float) -> Answer:
        """Publish a capture as a query, and return its answer.

        Raises:
            Transient: the broker does not respond, or no answer arrived in time.
        """
        waiting = _Waiting()
        capture.question = uuid4().hex
        with self._lock:
            self._waiting[capture.question] = waiting
            listening = self._listen()
        try:
            if not listening.wait(seconds):
                raise Transient("the broker does not respond")
            self._publish(capture)
            if not waiting.done.wait(seconds) or waiting.answer is None:
                raise Transient(
                    f"no answer within {seconds:.0f} s; the system may be busy, or the picture "
                    "unreadable: see the dead letters"
                )
            return waiting.answer
        finally:
            with self._lock:
                del self._waiting[capture.question]

    def _publish(self, capture: Capture) -> None:
        where = topics.address(capture)
        with (
            closing(producer(self._kafka, "question")) as client,
            broker_errors("publishing a question"),
        ):
            sent = client.send(where.topic, capture.SerializeToString(), where.key.encode())
            sent.get(delivery_seconds(self._kafka))

    def _listen(self) -> threading.Event:
        """Return an event set when answers are being received.

        Start a listener if there is none.
        """
        if self._listening is None:
            self._listening = threading.Event()
            arguments = (self._listening,)
            threading.Thread(target=self._run, args=arguments, name="answers", daemon=True).start()
        return self._listening

    def _run(self, listening: threading.Event) -> None:
        try:
            with (
                closing(consumer(self._kafka, NAME)) as client,
                broker_errors("listening for answers"),
            ):
                parts = [
                    TopicPartition(ANSWERS, number)
                    for number in client.partitions_for_topic(ANSWERS) or ()
                ]
                client.assign(parts)
                client.seek_to_end(*parts)
                for part in parts:
                    client.position(part)  # seeking is lazy
                listening.set()
                idle = 0.0
                while idle < IDLE_SECONDS:
                    polled = client.poll(round(1000 * POLL_SECONDS))
                    for raws in polled.values():
                        for raw in raws:
                            self._hear(raw.value or b"")
                    with self._lock:
                        idle = 0.0 if self._waiting else idle + POLL_SECONDS
        except Transient as error:
            log.warning("answers cannot be received: %s", error)
        finally:
            with self._lock:
                self._listening = None

    def _hear(self, value: bytes) -> None:
        try:
            answer = Answer.FromString(value)
        except DecodeError:
            return
        with self._lock:
            waiting = self._waiting.get(answer.question)
        if waiting is not None:
            waiting.answer = answer
            waiting.done.set()


class _Waiting:
    def __init__(self) -> None:
        self.done = threading.Event()
        self.answer: Answer | None = None

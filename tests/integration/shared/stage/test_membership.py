"""The consume loop when members come and go, the broker is away, or the process is told to end."""

import gc
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message
from kafka import TopicPartition
from kafka.structs import MemberState

from embedded.servers import HOST, broker, free_port
from shared.errors import Poison, Transient
from shared.kafka import topics
from shared.kafka.clients import consumer, ensure_topics, producer
from shared.messages import Decision, Sighting
from shared.records import Receipt, Result
from shared.settings import KafkaSettings, StageSettings, TelemetrySettings
from shared.stage.dead_letters import DeadLetterError
from shared.stage.handling import protobuf_decoder
from shared.stage.loop import Stage
from tests.support.waiting import wait_until

PARTITIONS = 4

# kafka-python drops the socket of a connection that it could not make without closing it.
drops_sockets = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


@pytest.fixture
def collected() -> Iterator[None]:
    """Let such sockets go within the test that made them."""
    yield
    gc.collect()


@dataclass
class Recorder:
    """Remembers what it has handled; `before` runs first, and may raise."""

    before: Callable[[], None] = lambda: None
    handled: list[str] = field(default_factory=list)
    result: Callable[[Sighting], Result] = lambda _: []

    def handle(self, messages: Sequence[Message]) -> Sequence[Result]:
        self.before()
        sightings = [message for message in messages if isinstance(message, Sighting)]
        self.handled += [sighting.sighting_id for sighting in sightings]
        return [self.result(sighting) for sighting in sightings]

    def acknowledged(self, receipts: Sequence[Receipt]) -> None:
        pass

    def ready(self) -> bool:
        return True


def settings(address: str, request_seconds: float = 5) -> KafkaSettings:
    return KafkaSettings.model_validate(
        {
            "bootstrap_servers": address,
            "producer_batch_bytes": 0,
            "session_timeout_seconds": 3,
            "request_timeout_seconds": request_seconds,
        }
    )


def a_stage(group: str, kafka: KafkaSettings, handler: Recorder) -> Stage[Any]:
    return Stage(
        name=group,
        decoders={f"{group}.in": protobuf_decoder(Sighting)},
        handler=handler,
        kafka=kafka,
        settings=StageSettings.model_validate({"backoff_seconds": 0.2, "backoff_limit_seconds": 1}),
        telemetry=TelemetrySettings.model_validate({"port": 0}),
        max_messages=4,
    )


def prepare(group: str, kafka: KafkaSettings, partitions: int = 1) -> None:
    topic = f"{group}.in"
    ensure_topics(kafka, [topic, topics.dead_letters(topic, group), topics.DECISIONS], partitions)


def send(group: str, kafka: KafkaSettings, names: Sequence[str]) -> None:
    client = producer(kafka)
    for name in names:
        client.send(f"{group}.in", Sighting(sighting_id=name).SerializeToString(), name.encode())
    client.close(timeout=20)


def committed(group: str, kafka: KafkaSettings, partitions: int = 1) -> int:
    """Return the sum of what the group has committed on its topic."""
    client = consumer(kafka, group)
    parts = [TopicPartition(f"{group}.in", number) for number in range(partitions)]
    total = sum(client.committed(part) or 0 for part in parts)
    client.close()
    return total


@contextmanager
def running(*stages: Stage[Any]) -> Iterator[list[BaseException]]:
    """Run stages in threads; yields the list of what they raise."""
    raised: list[BaseException] = []

    def run(stage: Stage[Any]) -> None:
        try:
            stage.run()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(stage,)) for stage in stages]
    for thread in threads:
        thread.start()
    try:
        yield raised
    finally:
        for stage in stages:
            stage.stop()
        for thread in threads:
            thread.join(60)


@pytest.mark.parametrize("trouble", ["a slow batch", "a transient error"])
def test_members_that_come_and_go_in_the_middle_of_a_batch_lose_nothing(
    kafka_broker: str, trouble: str
) -> None:
    group = f"rebalance-{trouble.split()[1]}"
    kafka = settings(kafka_broker)
    prepare(group, kafka, PARTITIONS)
    names = [f"s{number}" for number in range(100)]
    send(group, kafka, names)
    in_batch, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        if len(first.handled) < 20 or go_on.is_set():
            return
        in_batch.set()
        if trouble == "a transient error":
            raise Transient("the store is away")
        go_on.wait(20)

    first, second = Recorder(hold), Recorder()
    stage = a_stage(group, kafka, first)
    with running(stage) as raised:
        wait_until(in_batch.is_set)
        joining = a_stage(group, kafka, second)
        with running(joining) as raised_too:
            if trouble == "a slow batch":
                wait_until(lambda: _waits_for_the_group(joining))
            else:
                wait_until(lambda: second.handled)
            go_on.set()
            wait_until(lambda: set(first.handled) | set(second.handled) == set(names))
            wait_until(lambda: _has_partitions(joining))
            more = [f"more{number}" for number in range(20)]
            send(group, kafka, more)
            wait_until(lambda: set(first.handled) | set(second.handled) == {*names, *more})
            wait_until(lambda: second.handled)
        late = [f"late{number}" for number in range(20)]
        send(group, kafka, late)
        wait_until(lambda: committed(group, kafka, PARTITIONS) == 140)
    assert raised + raised_too == []
    assert set(late) <= set(first.handled)


@drops_sockets
@pytest.mark.usefixtures("collected")
def test_a_broker_that_is_away_for_a_while_is_waited_for(tmp_path: Path) -> None:
    kafka = settings(f"{HOST}:{free_port()}", request_seconds=1)
    server = broker(tmp_path, int(kafka.bootstrap_servers.split(":")[1]))
    decided = Recorder(result=lambda sighting: [Decision(sighting_id=sighting.sighting_id)])
    stage = a_stage("away", kafka, decided)
    with running(stage) as raised:
        wait_until(lambda: stage._attempts > 0)
        process = server.start()
        try:
            prepare("away", kafka)
            send("away", kafka, ["one", "two"])
            wait_until(lambda: committed("away", kafka) == 2)

            decided.before = lambda: process.send_signal(signal.SIGSTOP)
            send("away", kafka, ["three"])
            wait_until(lambda: "publishing" in stage._health.trouble)
            decided.before = lambda: None
            process.send_signal(signal.SIGCONT)
            wait_until(lambda: committed("away", kafka) == 3)

            process.kill()
            process.wait()
            process = server.start()
            prepare("away", kafka)
            send("away", kafka, ["four"])
            wait_until(lambda: "four" in decided.handled)
            wait_until(lambda: committed("away", kafka) == 1)
        finally:
            process.kill()
            process.wait()
    assert raised == []


@drops_sockets
@pytest.mark.usefixtures("collected")
def test_a_dead_letter_that_can_not_be_written_stops_the_service_uncommitted(
    tmp_path: Path,
) -> None:
    kafka = settings(f"{HOST}:{free_port()}", request_seconds=1)
    process = broker(tmp_path, int(kafka.bootstrap_servers.split(":")[1])).start()
    try:
        prepare("full", kafka)
        send("full", kafka, ["bad"])
        handler = Recorder(
            lambda: process.send_signal(signal.SIGSTOP), result=lambda _: Poison("not an animal")
        )
        with running(a_stage("full", kafka, handler)) as raised:
            wait_until(lambda: raised)
        process.send_signal(signal.SIGCONT)
        assert [type(error) for error in raised] == [DeadLetterError]
        assert "full.in.full.dlq did not take full.in partition 0 offset 0" in str(raised[0])
        wait_until(lambda: committed("full", kafka) == 0)
    finally:
        process.kill()
        process.wait()


SERVICE = """
import pathlib, sys, time
from shared.messages import Sighting
from shared.environment import load
from shared.settings import KafkaSettings, StageSettings, TelemetrySettings
from shared.stage.handling import protobuf_decoder
from shared.stage.loop import Stage

class Slow:
    def handle(self, messages):
        print("handling", flush=True)
        while not pathlib.Path(sys.argv[2]).exists():
            time.sleep(0.02)
        return [[] for _ in messages]
    def acknowledged(self, receipts): pass
    def ready(self): return True

Stage(name=sys.argv[1], decoders={sys.argv[1] + ".in": protobuf_decoder(Sighting)}, handler=Slow(),
      kafka=load(KafkaSettings), settings=load(StageSettings), telemetry=load(TelemetrySettings),
      max_messages=1).run()
"""


@pytest.mark.parametrize(
    ("group", "status", "done"), [("drained", 0, 1), ("undrained", os.EX_TEMPFAIL, 0)]
)
def test_a_signal_ends_the_process_after_the_batch_in_hand_or_uncommitted_in_time(
    kafka_broker: str, tmp_path: Path, group: str, status: int, done: int
) -> None:
    finishes = status == 0
    kafka = settings(kafka_broker)
    prepare(group, kafka)
    send(group, kafka, ["one", "two"])
    environment = {
        "RESIGHT_KAFKA_BOOTSTRAP_SERVERS": kafka_broker,
        "RESIGHT_KAFKA_SESSION_TIMEOUT_SECONDS": "3",
        "RESIGHT_STAGE_DRAIN_SECONDS": "20" if finishes else "0.5",
        "RESIGHT_TELEMETRY_PORT": "0",
    }
    go_on = tmp_path / "go-on"
    with subprocess.Popen(
        [sys.executable, "-c", SERVICE, group, str(go_on)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "handling\n"
        process.send_signal(signal.SIGTERM)
        if finishes:
            go_on.touch()
        assert process.wait(20) == status
        assert process.stdout.read() == ""
    assert committed(group, kafka) == done


def _waits_for_the_group(stage: Stage[Any]) -> bool:
    client = stage._consumer._consumer
    return client is not None and client.group_metadata().state == MemberState.REBALANCING


def _has_partitions(stage: Stage[Any]) -> bool:
    client = stage._consumer._consumer
    return client is not None and bool(client.assignment())

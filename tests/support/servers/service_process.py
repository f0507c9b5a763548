"""A service as its own process, and what it publishes."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from kafka import TopicPartition

from embedded.servers import HOST, broker, free_port
from shared.kafka.clients import consumer, ensure_topics
from shared.records import Record
from shared.settings import KafkaSettings
from tests.support.waiting import SECONDS, wait_until

ROOT = Path(__file__).parents[3]


@contextmanager
def own_broker(folder: Path, *names: str, partitions: int = 1) -> Iterator[KafkaSettings]:
    """Run a broker with only these empty topics."""
    server = broker(folder / "broker", free_port())
    process = server.start()
    settings = KafkaSettings(
        bootstrap_servers=f"{HOST}:{server.port}", producer_batch_bytes=0, session_timeout_seconds=6
    )
    ensure_topics(settings, list(names), partitions)
    try:
        yield settings
    finally:
        process.kill()
        process.wait()


@contextmanager
def service_process(
    module: str,
    settings: Mapping[str, str],
    kafka: KafkaSettings | None = None,
    log: Path | None = None,
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a service's module with these settings only, until the block ends.

    Its log is in `log`, else on the test's standard error.
    """
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("RESIGHT_")},
        "RESIGHT_TELEMETRY_PORT": "0",
        **(_kafka(kafka) if kafka else {}),
        **settings,
    }
    output = log.open("wb") if log else None
    process = subprocess.Popen(
        [sys.executable, "-m", module], cwd=ROOT, env=environment, stderr=output
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if output:
            output.close()


def terminated(process: "subprocess.Popen[bytes]") -> int:
    """Return the exit status after SIGTERM."""
    process.terminate()
    return process.wait(SECONDS)


def records(kafka: KafkaSettings, topic: str, count: int = 1) -> list[Record]:
    """Wait for the first records of a topic's first partition."""
    found: list[Record] = []

    def read() -> bool:
        for batch in client.poll(100).values():
            found.extend(
                Record(topic, 0, r.offset, r.key, r.value, r.timestamp, dict(r.headers))
                for r in batch
            )
        return len(found) >= count

    with closing(consumer(kafka, "test")) as client:
        client.assign([TopicPartition(topic, 0)])
        client.seek_to_beginning()
        wait_until(read, told=lambda: f"{len(found)} of {count} records on {topic}", pause=0)
    return found


def _kafka(kafka: KafkaSettings) -> dict[str, str]:
    return {
        "RESIGHT_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "RESIGHT_KAFKA_PRODUCER_BATCH_BYTES": "0",
        "RESIGHT_KAFKA_SESSION_TIMEOUT_SECONDS": "6",
    }

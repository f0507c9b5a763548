"""The embedder as a process: photographs off the topic, sightings and dead letters onto others."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import TopicPartition

from embedded.servers import HOST, broker, free_port
from services.embedder.encoders.onnx_encoder import OnnxEncoder
from shared.blobs import BlobStore
from shared.kafka import topics
from shared.kafka.clients import consumer, ensure_topics, producer
from shared.messages import Capture, Sighting
from shared.records import Record
from shared.settings import KafkaSettings
from tests.support.model_files import tiny_model
from tests.support.pictures import photograph
from tests.support.poison import samples

ROOT = Path(__file__).parents[4]
LIMIT_SECONDS = 60
DEAD = topics.dead_letters(topics.CAPTURES, "embedder")


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[KafkaSettings]:
    """A broker with nothing in it but empty topics."""
    server = broker(tmp_path / "broker", free_port())
    process = server.start()
    settings = KafkaSettings(
        bootstrap_servers=f"{HOST}:{server.port}",
        producer_batch_bytes=0,
        session_timeout_seconds=6,
    )
    ensure_topics(settings, [topics.CAPTURES, topics.SIGHTINGS, DEAD], 1)
    yield settings
    process.kill()
    process.wait()


@pytest.fixture
def embedder(kafka: KafkaSettings, tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("RESIGHT_")},
        "RESIGHT_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "RESIGHT_KAFKA_PRODUCER_BATCH_BYTES": "0",
        "RESIGHT_KAFKA_SESSION_TIMEOUT_SECONDS": "6",
        "RESIGHT_TELEMETRY_PORT": "0",
        "RESIGHT_BLOBS_CROPS_URL": f"file://{tmp_path}/crops",
        "RESIGHT_BLOBS_CAPTURES_URL": f"file://{tmp_path}/captures",
        "RESIGHT_ENCODER_MODEL_PATH": str(tiny_model(tmp_path / "tiny.onnx")),
        "RESIGHT_ENCODER_THREADS": "1",
    }
    command = [sys.executable, "-m", "services.embedder.main"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    yield process
    process.kill()
    process.wait()


def _publish(kafka: KafkaSettings, value: bytes | None, headers: dict[str, bytes]) -> None:
    client = producer(kafka)
    pairs = list(headers.items())
    client.send(topics.CAPTURES, value=value, key=b"cam-1", headers=pairs).get(20)
    client.close()


def _read(kafka: KafkaSettings, topic: str, count: int) -> list[Record]:
    """Wait for a topic's first records."""
    client = consumer(kafka, "test")
    client.assign([TopicPartition(topic, 0)])
    client.seek_to_beginning()
    deadline = time.monotonic() + LIMIT_SECONDS
    found: list[Record] = []
    while len(found) < count:
        assert time.monotonic() < deadline, f"{len(found)} of {count} records on {topic}"
        for records in client.poll(100).values():
            found += [
                Record(topic, 0, r.offset, r.key, r.value, r.timestamp, dict(r.headers))
                for r in records
            ]
    client.close()
    return found


def test_photographs_become_sightings_and_poison_goes_to_the_dead_letters(
    kafka: KafkaSettings, embedder: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    stored = BlobStore(f"file://{tmp_path}/captures").put("cam-2/a.jpg", photograph(seed=1))
    poison = [sample for sample in samples() if len(sample[1] or b"") < 1_000_000]
    for _, value, headers in poison:
        _publish(kafka, value, headers)
    _publish(
        kafka,
        photograph(),
        {"content-type": b"image/jpeg", "species": b"zebra", "box": b"0,0,0.5,1;0.5,0,0.5,1"},
    )
    _publish(kafka, Capture(reference=stored, deployment="cam-2").SerializeToString(), {})

    records = _read(kafka, topics.SIGHTINGS, 3)
    sightings = [Sighting.FromString(record.value or b"") for record in records]
    assert [record.key for record in records] == [b"cam-1", b"cam-1", b"cam-2"]
    assert [sighting.gallery for sighting in sightings] == [
        "default/zebra",
        "default/zebra",
        "default/unspecified",
    ]
    crops = BlobStore(f"file://{tmp_path}/crops")
    model = OnnxEncoder(tmp_path / "tiny.onnx").model
    for sighting in sightings:
        assert sighting.embedding.model == model
        assert crops.get(sighting.crop, 10**7).startswith(b"\xff\xd8\xff")

    letters = _read(kafka, DEAD, len(poison))
    assert [letter.headers["resight-kind"].decode() for letter in letters] == [
        kind for kind, _, _ in poison
    ]
    embedder.send_signal(signal.SIGTERM)
    assert embedder.wait(LIMIT_SECONDS) == 0

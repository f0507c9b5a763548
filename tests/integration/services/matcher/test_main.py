"""The matcher as a process: candidate lists off the topic, matches and dead letters onto others."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from kafka import TopicPartition

from embedded.servers import HOST, broker, free_port
from shared.blobs import BlobStore
from shared.images.codec import encode_jpeg
from shared.kafka import topics
from shared.kafka.clients import consumer, ensure_topics, producer
from shared.messages import (
    DEPTH_LIGHTGLUE,
    DEPTH_NONE,
    BlobReference,
    Candidate,
    CandidateList,
    Matches,
    Sighting,
)
from shared.settings import KafkaSettings

ROOT = Path(__file__).parents[4]
LIMIT_SECONDS = 40


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[KafkaSettings]:
    """A broker with nothing in it but empty topics."""
    server = broker(tmp_path / "broker", free_port())
    process = server.start()
    settings = KafkaSettings(
        bootstrap_servers=f"{HOST}:{server.port}",
        producer_batch_bytes=0,
        session_timeout_seconds=6,
        instance_id="",
        request_timeout_seconds=30,
    )
    ensure_topics(settings, [*topics.ALL, *topics.dead_letter_topics()], 1)
    yield settings
    process.kill()
    process.wait()


@pytest.fixture
def crops(tmp_path: Path) -> BlobStore:
    return BlobStore(f"file://{tmp_path / 'crops'}")


@pytest.fixture
def matcher(
    kafka: KafkaSettings, cache_url: str, tmp_path: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    """The service, its log on the test's own standard error."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("RESIGHT_")},
        "RESIGHT_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "RESIGHT_KAFKA_PRODUCER_BATCH_BYTES": "0",
        "RESIGHT_KAFKA_SESSION_TIMEOUT_SECONDS": "6",
        "RESIGHT_TELEMETRY_PORT": "0",
        "RESIGHT_BLOBS_CROPS_URL": f"file://{tmp_path / 'crops'}",
        "RESIGHT_CACHE_URL": cache_url,
    }
    command = [sys.executable, "-m", "services.matcher.main"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    yield process
    process.kill()
    process.wait()


def _coat(crops: BlobStore, name: str, seed: int) -> BlobReference:
    blots = np.random.default_rng(seed).integers(0, 256, (36, 48, 3), dtype=np.uint8)
    coat = cv2.resize(blots, (384, 288), interpolation=cv2.INTER_CUBIC)
    return crops.put(f"crops/{name}.jpg", encode_jpeg(np.asarray(coat, dtype=np.uint8), 90))


def _list(crop: BlobReference, name: str, *candidates: Candidate) -> CandidateList:
    query = Sighting(sighting_id=name, deployment="cam-1", crop=crop)
    return CandidateList(query=query, watermark=5, candidates=candidates, earlier=(), pass_number=1)


def _publish(kafka: KafkaSettings, *lists: CandidateList) -> None:
    client = producer(kafka)
    for message in lists:
        to = topics.address(message)
        client.send(to.topic, key=to.key.encode(), value=message.SerializeToString()).get(10)
    client.close()


def _first(kafka: KafkaSettings, topic: str) -> tuple[bytes, dict[str, bytes]]:
    """Wait for a topic's first record; return its value and headers."""
    client = consumer(kafka, "test")
    client.assign([TopicPartition(topic, 0)])
    client.seek_to_beginning()
    deadline = time.monotonic() + LIMIT_SECONDS
    try:
        while True:
            assert time.monotonic() < deadline, f"nothing on {topic} after {LIMIT_SECONDS} s"
            for records in client.poll(100).values():
                return records[0].value, dict(records[0].headers)
    finally:
        client.close()


def test_lists_become_matches_lost_crops_dead_letters_and_sigterm_ends_it(
    kafka: KafkaSettings, crops: BlobStore, matcher: "subprocess.Popen[bytes]"
) -> None:
    coat = _coat(crops, "query", seed=1)
    lost = BlobReference(key="crops/lost.jpg", sha256="0" * 64, size=1)
    _publish(
        kafka,
        _list(lost, "unreadable"),
        _list(
            coat,
            "readable",
            Candidate(sighting_id="same", crop=_coat(crops, "same", seed=1)),
            Candidate(sighting_id="lost", crop=lost),
        ),
    )
    value, _ = _first(kafka, topics.MATCHES)
    matches = Matches.FromString(value)
    assert (matches.query.sighting_id, matches.watermark) == ("readable", 5)
    assert [e.depth for e in matches.evidence] == [DEPTH_LIGHTGLUE, DEPTH_NONE]
    _, headers = _first(kafka, topics.dead_letters(topics.CANDIDATES, "matcher"))
    assert headers["resight-kind"] == b"missing-crop"
    matcher.send_signal(signal.SIGTERM)
    assert matcher.wait(LIMIT_SECONDS) == 0

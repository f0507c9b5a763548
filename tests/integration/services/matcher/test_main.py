"""The matcher as a process: candidate lists off the topic, matches and dead letters onto others."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from shared.blobs import BlobStore
from shared.images.codec import encode_jpeg
from shared.kafka import topics
from shared.kafka.clients import producer
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
from tests.support.servers.service_process import own_broker, records, service_process, terminated

ROOT = Path(__file__).parents[4]
LIMIT_SECONDS = 40


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[KafkaSettings]:
    with own_broker(tmp_path, *topics.ALL, *topics.dead_letter_topics()) as settings:
        yield settings


@pytest.fixture
def crops(tmp_path: Path) -> BlobStore:
    return BlobStore(f"file://{tmp_path / 'crops'}")


@pytest.fixture
def matcher(
    kafka: KafkaSettings, cache_url: str, tmp_path: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    with service_process(
        "services.matcher.main",
        {"RESIGHT_BLOBS_CROPS_URL": f"file://{tmp_path / 'crops'}", "RESIGHT_CACHE_URL": cache_url},
        kafka,
    ) as process:
        yield process


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
    [found] = records(kafka, topics.MATCHES)
    matches = Matches.FromString(found.value or b"")
    assert (matches.query.sighting_id, matches.watermark) == ("readable", 5)
    assert [e.depth for e in matches.evidence] == [DEPTH_LIGHTGLUE, DEPTH_NONE]
    [letter] = records(kafka, topics.dead_letters(topics.CANDIDATES, "matcher"))
    assert letter.headers["resight-kind"] == b"missing-crop"
    assert terminated(matcher) == 0

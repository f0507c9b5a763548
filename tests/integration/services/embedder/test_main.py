"""The embedder as a process: photographs off the topic, sightings and dead letters onto others."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.embedder.encoders.onnx_encoder import OnnxEncoder
from shared.blobs import BlobStore
from shared.kafka import topics
from shared.kafka.clients import producer
from shared.messages import Capture, Sighting
from shared.settings import KafkaSettings
from tests.support.samples.model_files import tiny_model
from tests.support.samples.pictures import photograph
from tests.support.samples.poison import samples
from tests.support.servers.service_process import own_broker, records, service_process, terminated

ROOT = Path(__file__).parents[4]
LIMIT_SECONDS = 60
DEAD = topics.dead_letters(topics.CAPTURES, "embedder")


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[KafkaSettings]:
    with own_broker(tmp_path, topics.CAPTURES, topics.SIGHTINGS, DEAD) as settings:
        yield settings


@pytest.fixture
def embedder(kafka: KafkaSettings, tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with service_process(
        "services.embedder.main",
        {
            "RESIGHT_BLOBS_CROPS_URL": f"file://{tmp_path}/crops",
            "RESIGHT_BLOBS_CAPTURES_URL": f"file://{tmp_path}/captures",
            "RESIGHT_ENCODER_MODEL_PATH": str(tiny_model(tmp_path / "tiny.onnx")),
            "RESIGHT_ENCODER_THREADS": "1",
        },
        kafka,
    ) as process:
        yield process


def _publish(kafka: KafkaSettings, value: bytes | None, headers: dict[str, bytes]) -> None:
    client = producer(kafka)
    pairs = list(headers.items())
    client.send(topics.CAPTURES, value=value, key=b"cam-1", headers=pairs).get(20)
    client.close()


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

    found = records(kafka, topics.SIGHTINGS, 3)
    sightings = [Sighting.FromString(record.value or b"") for record in found]
    assert [record.key for record in found] == [b"cam-1", b"cam-1", b"cam-2"]
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

    letters = records(kafka, DEAD, len(poison))
    assert [letter.headers["resight-kind"].decode() for letter in letters] == [
        kind for kind, _, _ in poison
    ]
    assert terminated(embedder) == 0

"""A broker's settings and a group with topics of its own on it; a matcher with real parts."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.matcher.engine import Engine, build_engine
from services.matcher.settings import MatcherSettings
from shared.blobs import BlobStore
from shared.settings import KafkaSettings
from tests.support.matcher_bench import Bench, keypoints
from tests.support.stages import Room


@pytest.fixture
def kafka(kafka_broker: str) -> KafkaSettings:
    return KafkaSettings.model_validate(
        {
            "bootstrap_servers": kafka_broker,
            "producer_batch_bytes": 0,
            "session_timeout_seconds": 3,
            "request_timeout_seconds": 5,
        }
    )


@pytest.fixture
def room(kafka: KafkaSettings) -> Iterator[Room]:
    room = Room(kafka)
    yield room
    room.producer.close(timeout=5)


@pytest.fixture(scope="module")
def networks() -> Engine:
    return build_engine(MatcherSettings(extractor="xfeat", policy="doubt"))


@pytest.fixture
def bench(networks: Engine, tmp_path: Path, cache_url: str) -> Bench:
    folder = tmp_path / "crops"
    return Bench(networks, folder, BlobStore(f"file://{folder}"), cache_url)


@pytest.fixture
def computed() -> Callable[[], float]:
    """Tell how many crops went through the network since the test began."""
    before = keypoints("computed")
    return lambda: keypoints("computed") - before

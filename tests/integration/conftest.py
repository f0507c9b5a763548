"""A broker's settings, and a group with topics of its own on it."""

from collections.abc import Iterator

import pytest

from shared.settings import KafkaSettings
from tests.stages import Room


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

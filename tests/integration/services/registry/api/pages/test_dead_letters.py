"""The page of dead letters, on a real broker: it holds no letter's contents."""

import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from embedded.servers import HOST, broker, free_port
from embedded.temporary import running
from services.registry.api.pages.dead_letters import SHOWN
from shared.kafka.clients import ensure_topics, producer
from shared.kafka.topics import ALL, CAPTURES, dead_letter_topics
from shared.settings import KafkaSettings
from shared.stage import dead_letters
from shared.stage.dead_letters import DeadLetter, encode
from tests.support.catalogue_bench import Bench, bench_at
from tests.unit.services.registry.api.pages.test_dead_letters import SECRET, with_place

MEBIBYTE = 1024 * 1024
COUNT = 60


@pytest.fixture
def kafka(tmp_path: Path) -> Iterator[KafkaSettings]:
    """A broker of its own: others count the letters of theirs."""
    port = free_port()
    with running(broker(tmp_path / "broker", port)):
        yield KafkaSettings(
            bootstrap_servers=f"{HOST}:{port}", producer_batch_bytes=0, request_timeout_seconds=5
        )


@pytest.fixture
def bench(ledger_url: str, tmp_path: Path, kafka: KafkaSettings) -> Bench:
    bench = bench_at(ledger_url, tmp_path)
    bench.context = replace(bench.context, kafka=kafka)
    ensure_topics(kafka, [*ALL, *dead_letter_topics()], 1)
    return bench


def write(kafka: KafkaSettings, value: bytes, count: int, reason: str) -> None:
    with closing(producer(kafka, "test")) as client:
        for number in range(count):
            now = datetime(2027, 1, 1, 0, number, tzinfo=UTC)
            letter = DeadLetter(
                *(CAPTURES, 0, number, b"gate", value, {}),
                *("embedder", f"{reason} {number}", "corrupt-image", 1, 1, now),
            )
            headers = list(encode(letter).items())
            client.send(letter.address, value, b"gate", headers).get(10)


def test_letters_come_in_pages_and_their_contents_when_they_are_asked_for(
    bench: Bench, kafka: KafkaSettings
) -> None:
    reason = f"reason {uuid4().hex[:8]}"
    write(kafka, with_place(), COUNT, reason)
    client = bench.client(bench.key("admin"))
    first = client.get("/letters").text
    assert f"{reason} {COUNT - 1}" in first.lower()
    assert f"{reason} 0." not in first.lower()
    assert SECRET.decode() not in first
    later = client.get(f"/letters?before={2 * SHOWN}").text
    assert f"{reason} 0." in later.lower()
    [path, *_] = [each.split('"')[0] for each in first.split('img src="')[1:]]
    shown = client.get(path)
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
    assert SECRET not in shown.content
    for wrong in ("no-topic/0/0", f"{CAPTURES}/0/0", f"{CAPTURES}.embedder.dlq/0/999999"):
        assert client.get(f"/letters/{wrong}/picture").status_code == 404


def test_looking_at_letters_takes_the_memory_of_one(bench: Bench, kafka: KafkaSettings) -> None:
    write(kafka, bytes(2 * MEBIBYTE), 40, "large")
    client = bench.client(bench.key("admin"))
    client.get("/letters")
    tracemalloc.start()
    try:
        assert client.get("/letters").status_code == 200
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 30 * MEBIBYTE
    assert dead_letters.waiting(kafka, dead_letter_topics()) >= 40

"""Five kinds of client, each sending one record at a time and waiting for the acknowledgement."""

import asyncio
import base64
import json
import subprocess
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, TypeVar

from aiokafka import AIOKafkaProducer
from confluent_kafka import Producer

from bench.hostile import Hostile
from catalogue.publishing.captures import publish
from catalogue.reading.catalogue import Photograph
from shared.kafka.clients import producer
from shared.kafka.topics import CAPTURES
from shared.settings import KafkaSettings
from tests.support.samples.poison import BadName

MOST_BYTES = 900 * 1024 * 1024
SECONDS = 60.0

T = TypeVar("T")
Send = Callable[[Hostile], None]


class Clients:
    """All five clients on one broker. `close` them.

    The embedded broker counts batches, so each record is its own batch.
    """

    def __init__(self, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._plain = producer(kafka)
        self._plain.config["max_request_size"] = MOST_BYTES
        self._confluent = {
            codec: self._librdkafka(codec) for codec in ("", "zstd", "lz4", "snappy", "gzip")
        }
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._aio = self._awaited(self._started())
        script = Path(__file__).with_name("produce.mjs")
        self._node = subprocess.Popen(  # noqa: S603
            ["node", str(script), kafka.bootstrap_servers, CAPTURES],  # noqa: S607
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.by_name: Mapping[str, Send] = {
            "kafka-python": self.plain,
            "confluent-kafka": self.confluent,
            "aiokafka": self.aio,
            "kafkajs": self.node,
        }

    def command(self, photograph: Photograph) -> None:
        """Send as `resight publish` does."""
        for _ in publish(self._kafka, [photograph]):
            pass

    def plain(self, record: Hostile) -> None:
        """Send with kafka-python."""
        headers = list(record.headers)
        if record.bad_header_name:
            headers.append((BadName("x"), b"1"))
        value = b"" if record.key is None and record.value is None else record.value
        sent = self._plain.send(
            CAPTURES, value, record.key, headers, timestamp_ms=record.timestamp_ms
        )
        sent.get(SECONDS)

    def confluent(self, record: Hostile) -> None:
        """Send with librdkafka, which alone has all codecs here."""
        client = self._confluent[record.codec]
        failed: list[Any] = []
        now = round(1000 * time.time())
        client.produce(
            CAPTURES,
            record.value,
            record.key,
            headers=[(name, value) for name, value in record.headers],
            on_delivery=lambda error, _: failed.append(error) if error else None,
            timestamp=now if record.timestamp_ms is None else record.timestamp_ms,
        )
        left = client.flush(SECONDS)
        if failed or left:
            raise RuntimeError(f"confluent-kafka could not send {record.kind}: {failed or left}")

    def aio(self, record: Hostile) -> None:
        """Send with aiokafka."""

        async def send() -> None:
            await self._aio.send_and_wait(
                CAPTURES,
                record.value if record.value is not None or record.key is not None else b"",
                record.key,
                timestamp_ms=record.timestamp_ms,
                headers=record.headers,
            )

        self._awaited(send())

    def node(self, record: Hostile) -> None:
        """Send with kafkajs."""
        if self._node.stdin is None or self._node.stdout is None:
            raise RuntimeError("the kafkajs client has no pipes")
        line = {
            "key": _text(record.key),
            "value": _text(record.value),
            "headers": [[name, _text(value)] for name, value in record.headers],
            "timestamp": record.timestamp_ms,
        }
        self._node.stdin.write(json.dumps(line) + "\n")
        self._node.stdin.flush()
        answer = self._node.stdout.readline().strip()
        if answer != "ok":
            raise RuntimeError(f"kafkajs could not send {record.kind}: {answer or 'it ended'}")

    def close(self) -> None:
        """Close all of them."""
        self._plain.close(timeout=5)
        self._awaited(self._aio.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._node.terminate()
        self._node.wait()

    def _librdkafka(self, codec: str) -> Producer:
        options = {"compression.type": codec} if codec else {}
        return Producer(
            {
                "bootstrap.servers": self._kafka.bootstrap_servers,
                "message.max.bytes": MOST_BYTES,
                "batch.num.messages": 1,
                **options,
            }
        )

    async def _started(self) -> AIOKafkaProducer:
        client = AIOKafkaProducer(
            bootstrap_servers=self._kafka.bootstrap_servers, max_request_size=MOST_BYTES
        )
        await client.start()
        return client

    def _awaited(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(SECONDS)


def fits(name: str, record: Hostile) -> bool:
    """Return whether a client can send a record as it is."""
    if record.bad_header_name:
        return name == "kafka-python"
    if record.codec or len(record.value or b"") > 8_000_000:
        return name == "confluent-kafka"
    repeated = len({header for header, _ in record.headers}) < len(record.headers)
    return not (name == "kafkajs" and (repeated or record.timestamp_ms is not None))


def _text(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()

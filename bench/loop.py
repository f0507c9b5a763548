"""Overhead of the stage loop: messages per second compared with a bare client loop.

Both read the same topic of a fresh embedded broker, forward every message to another topic, wait
for the acknowledgement and commit. Usage: python -m bench.loop --json FILE
"""

import json
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from google.protobuf.message import Message
from rich.console import Console
from rich.table import Table

from embedded.servers import HOST, broker, free_port
from shared.embeddings import DIMENSION
from shared.kafka import topics
from shared.kafka.clients import consumer, ensure_topics, producer
from shared.messages import CandidateList, Embedding, Sighting
from shared.records import Receipt, Record, Result
from shared.settings import KafkaSettings, StageSettings, TelemetrySettings
from shared.stage.handling import protobuf_decoder
from shared.stage.loop import Stage

BATCH = 32


class Forward:
    """A handler that returns an empty candidate list for every sighting."""

    def __init__(self, expected: int) -> None:
        self.missing = expected
        self.done = threading.Event()

    def handle(self, messages: Sequence[Message]) -> Sequence[Result]:
        return [[CandidateList(query=each)] for each in messages if isinstance(each, Sighting)]

    def acknowledged(self, receipts: Sequence[Receipt]) -> None:
        self.missing -= len(receipts)
        if self.missing <= 0:
            self.done.set()

    def ready(self) -> bool:
        return True


def main(
    messages: Annotated[int, typer.Option(min=1, help="Sightings to forward.")] = 4000,
    output: Annotated[Path | None, typer.Option("--json", help="Write the numbers here.")] = None,
) -> None:
    """Time the stage loop beside a bare poll, send, flush and commit."""
    with tempfile.TemporaryDirectory() as folder, _broker(Path(folder)) as kafka:
        _fill(kafka, messages)
        bare = messages / _bare(kafka, messages)
        stage = messages / _stage(kafka, messages)
    found = {
        "messages": messages,
        "bare_per_second": round(bare, 1),
        "stage_per_second": round(stage, 1),
        "stage_fraction_of_bare": round(stage / bare, 3),
    }
    table = Table("loop", "messages/s", "of bare")
    table.add_row("bare client", f"{bare:.0f}", "1.00")
    table.add_row("stage", f"{stage:.0f}", f"{stage / bare:.2f}")
    Console().print(table)
    if output is not None:
        output.write_text(json.dumps(found) + "\n")


@contextmanager
def _broker(folder: Path) -> Iterator[KafkaSettings]:
    server = broker(folder, free_port())
    process = server.start()
    try:
        yield KafkaSettings(
            bootstrap_servers=f"{HOST}:{server.port}",
            session_timeout_seconds=6,
            producer_batch_bytes=0,
        )
    finally:
        process.kill()
        process.wait()


def _fill(kafka: KafkaSettings, count: int) -> None:
    ensure_topics(kafka, [topics.SIGHTINGS, topics.CANDIDATES], 1)
    embedding = Embedding(values=bytes(4 * DIMENSION))
    with closing(producer(kafka)) as client:
        for number in range(count):
            sighting = Sighting(sighting_id=f"{number:064x}", embedding=embedding)
            client.send(topics.SIGHTINGS, sighting.SerializeToString(), b"camera")
        client.flush()


def _bare(kafka: KafkaSettings, count: int) -> float:
    """Return seconds from the first record to the last commit, without joining."""
    with closing(consumer(kafka, "bare")) as client, closing(producer(kafka)) as sink:
        client.subscribe([topics.SIGHTINGS])
        began, passed = 0.0, 0
        while passed < count:
            polled = client.poll(250, max_records=BATCH)
            began = began or (time.monotonic() if polled else 0.0)
            for records in polled.values():
                for record in records:
                    answer = CandidateList(query=Sighting.FromString(record.value))
                    sink.send(topics.CANDIDATES, answer.SerializeToString(), record.key)
                passed += len(records)
            if polled:
                sink.flush()
                client.commit()
        return time.monotonic() - began


def _stage(kafka: KafkaSettings, count: int) -> float:
    handler = Forward(count)
    first = threading.Event()
    decode = protobuf_decoder(Sighting)

    def noticed(record: Record) -> Message:
        first.set()
        return decode(record)

    stage = Stage(
        name="stage",
        decoders={topics.SIGHTINGS: noticed},
        handler=handler,
        kafka=kafka,
        settings=StageSettings(max_messages=BATCH),
        telemetry=TelemetrySettings(port=0),
    )
    runner = threading.Thread(target=stage.run)
    runner.start()
    first.wait()
    began = time.monotonic()
    handler.done.wait()
    seconds = time.monotonic() - began
    stage.stop()
    runner.join()
    return seconds


if __name__ == "__main__":
    typer.run(main)

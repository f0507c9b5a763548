"""The consume loop against a real broker: no record, whatever it is, stops the ones behind it."""

import hashlib
import os
from collections.abc import Sequence

import pytest
from confluent_kafka import Producer
from prometheus_client import REGISTRY
from typer.testing import CliRunner

from resight.main import app
from shared.errors import Poison, Transient
from shared.kafka.clients import DEAD_LETTER_BYTES, MEBIBYTE, ensure_topics
from shared.messages import Sighting
from shared.records import Receipt, Result
from shared.settings import KafkaSettings
from tests.support.samples.poison import BadName
from tests.support.stages import Recorder, Room, nothing_follows, running
from tests.support.waiting import wait_until


def refuses_all(sightings: Sequence[Sighting]) -> list[Result]:
    return [Poison("not an animal", kind="no-image") for _ in sightings]


@pytest.mark.logs_errors
def test_a_record_that_no_client_can_parse_is_a_dead_letter_and_the_next_ones_are_handled(
    room: Room,
) -> None:
    handler = Recorder(nothing_follows)
    room.send("before")
    room.send("strange", headers=[(BadName("x"), b"1")])
    room.send("after")
    with running(room.stage(handler)):
        wait_until(lambda: room.committed() == 3)
        wait_until(lambda: len(room.letters()) == 1)

    assert handler.seen == ["before", "after"]
    (letter,) = room.letters()
    assert (letter.topic, letter.partition, letter.offset) == (room.topic, 0, 1)
    assert letter.kind == "unreadable-record"
    assert Sighting.FromString(letter.value or b"").sighting_id == "strange"


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_batches_of_other_clients_are_read_in_every_codec(room: Room, codec: str) -> None:
    handler = Recorder(nothing_follows)
    client = Producer(
        {"bootstrap.servers": room.kafka.bootstrap_servers, "compression.type": codec}
    )
    for name in ("a", "b"):
        client.produce(room.topic, Sighting(sighting_id=name * 2000).SerializeToString())
    client.flush(10)
    with running(room.stage(handler)):
        wait_until(lambda: len(handler.seen) == 2)
    assert [name[0] for name in handler.seen] == ["a", "b"]


@pytest.mark.logs_errors
def test_a_batch_that_would_swell_beyond_all_memory_is_stepped_over(room: Room) -> None:
    bomb = Producer(
        {
            "bootstrap.servers": room.kafka.bootstrap_servers,
            "compression.type": "zstd",
            "message.max.bytes": 900 * MEBIBYTE,
        }
    )
    bomb.produce(room.topic, bytes(300 * MEBIBYTE))
    bomb.flush(60)
    room.send("after")
    handler = Recorder(nothing_follows)
    with running(room.stage(handler)):
        wait_until(lambda: handler.seen == ["after"], 60)
        wait_until(lambda: len(room.letters()) == 1)
    assert "unpacks to more than" in room.letters()[0].reason


@pytest.mark.logs_errors
def test_a_letter_that_would_be_too_large_keeps_what_the_record_was_about(room: Room) -> None:
    large = Producer(
        {
            "bootstrap.servers": room.kafka.bootstrap_servers,
            "message.max.bytes": 2 * DEAD_LETTER_BYTES,
        }
    )
    value = os.urandom(DEAD_LETTER_BYTES + 1)
    large.produce(room.topic, value)
    large.flush(60)
    room.send("after")
    handler = Recorder(nothing_follows)
    with running(room.stage(handler)):
        wait_until(lambda: room.committed() == 2, 60)
    (letter,) = room.letters()
    assert (letter.topic, letter.offset, letter.kind) == (room.topic, 0, "undecodable")
    assert letter.value is None
    assert letter.left_out is not None
    assert letter.left_out.bytes == len(value)
    assert letter.left_out.sha256 == hashlib.sha256(value).hexdigest()
    assert handler.seen == ["after"]


class Forgetful(Recorder):
    """Its store is away when it is to note what the broker has taken."""

    times = 4

    def acknowledged(self, receipts: Sequence[Receipt]) -> None:
        if self.times:
            self.times -= 1
            raise Transient("the ledger does not respond")
        super().acknowledged(receipts)


@pytest.mark.logs_errors
def test_what_was_sent_is_not_sent_again_because_a_later_step_fails(room: Room) -> None:
    handler = Forgetful(refuses_all)
    room.send("bad")
    with running(room.stage(handler)):
        wait_until(lambda: room.committed() == 1)
    assert handler.times == 0
    assert len(handler.batches) == 1
    assert len(room.letters()) == 1


@pytest.mark.logs_errors
def test_a_service_that_can_handle_nothing_stops_before_it_has_given_up_everything(
    room: Room,
) -> None:
    room.send(*(f"s{number}" for number in range(30)))
    limit = {"dead_letter_count": 10, "dead_letter_share": 0.5, "max_messages": 1}
    stage = room.stage(Recorder(refuses_all), settings=limit)
    with running(stage):
        wait_until(lambda: _stopped(room) == 1)
        assert len(room.letters()) == 10
        wait_until(lambda: "11 of the latest 11 records" in stage._health.unready())
        assert not stage._health.dead()
    assert room.committed() == 10

    handler = Recorder(nothing_follows)  # the repaired service
    with running(room.stage(handler, settings=limit)):
        wait_until(lambda: room.committed() == 30)
    assert handler.seen[0] == "s10"


def _stopped(room: Room) -> float | None:
    return REGISTRY.get_sample_value("resight_stage_dead_letters_stopped", {"service": room.name})


def test_what_others_write_into_a_dead_letter_topic_does_not_hide_the_letters(
    kafka: KafkaSettings,
) -> None:
    room = Room(kafka)
    name = "resight.captures.v1.embedder.dlq"
    ensure_topics(kafka, [name, "resight.captures.v1"], 1)
    room.producer.send(name, b"by hand", b"k").get(5)
    room.producer.send(name, b"x", b"k", [(BadName("x"), b"1")]).get(5)
    room.producer.send(
        name,
        b"image",
        b"k",
        [
            (f"resight-{key}", value)
            for key, value in {
                "reason": b"why",
                "kind": b"k",
                "topic": b"resight.captures.v1",
                "partition": b"0",
                "offset": b"3",
                "attempt": b"1",
                "time": b"2026-11-02T12:30:00+00:00",
                "sightings": b"1",
            }.items()
        ],
    ).get(5)
    room.producer.close(timeout=5)
    options = ["--bootstrap-servers", kafka.bootstrap_servers, "--topic", name]
    listed = CliRunner().invoke(app, ["dead-letters", "list", *options])
    assert listed.exit_code == 0, listed.output
    assert "why" in listed.stdout
    assert listed.stderr.count("is not a dead letter") == 2
    replayed = CliRunner().invoke(app, ["dead-letters", "replay", "--yes", *options])
    assert replayed.exit_code == 0, replayed.output
    assert "replayed 1 dead letters" in replayed.stdout

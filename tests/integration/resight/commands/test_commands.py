"""Publish, watch, dead-letters and status against a real broker, without the services."""

import gc
import json
import logging
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from embedded.servers import HOST, broker, free_port
from resight.main import app
from shared.kafka import topics
from shared.kafka.clients import ensure_topics, producer
from shared.kafka.topic_reader import TopicReader
from shared.messages import OUTCOME_NEW, Capture, Decision
from shared.records import Record
from shared.settings import KafkaSettings
from shared.stage import dead_letters
from shared.stage.dead_letters import DeadLetter


@pytest.fixture(scope="module")
def empty_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaSettings]:
    server = broker(tmp_path_factory.mktemp("own-broker"), free_port())
    process = server.start()
    yield KafkaSettings(bootstrap_servers=f"{HOST}:{server.port}", producer_batch_bytes=0)
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def kafka(empty_broker: KafkaSettings) -> KafkaSettings:
    ensure_topics(empty_broker, [*topics.ALL, *topics.dead_letter_topics()], 2)
    return empty_broker


@pytest.fixture(autouse=True)
def _records_travel_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    # The embedded broker's end offsets count batches.
    monkeypatch.setenv("RESIGHT_KAFKA_PRODUCER_BATCH_BYTES", "0")


def resight(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments], terminal_width=200)


def lines(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def at(kafka: KafkaSettings) -> tuple[str, str]:
    return "--bootstrap-servers", kafka.bootstrap_servers


def send(kafka: KafkaSettings, topic: str, value: bytes, headers: dict[str, bytes]) -> None:
    client = producer(kafka)
    client.send(topic, value, b"gate", list(headers.items())).get(10)
    client.close()


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for number in range(3):
        Image.new("RGB", (32, 24), (number * 60, 90, 90)).save(tmp_path / f"{number}.jpg")
    (tmp_path / "notes.txt").write_text("by the river")
    (tmp_path / "metadata.csv").write_text(
        "path,identity,species,viewpoint,date,deployment\n"
        "0.jpg,Sultana,lion,left,2026-05-04T06:12:00,gate\n"
        "1.jpg,Sultana,lion,left,2026-05-04T06:12:01,gate\n"
        "2.jpg,Kibo,lion,right,,well\n"
    )
    return tmp_path


def test_published_captures_carry_the_picture_and_not_who_it_shows(
    kafka: KafkaSettings, pictures: Path
) -> None:
    with TopicReader(kafka, [topics.CAPTURES], from_beginning=False) as feed:
        (summary,) = lines(resight("publish", pictures, *at(kafka), "--json"))
        assert (summary["published"], summary["sightings"]) == (3, 3)
        assert [Path(each["path"]).name for each in summary["skipped"]] == ["notes.txt"]
        records: list[Record] = []
        while len(records) < 3:
            records += feed.poll(5.0)
    sent = {Capture.FromString(each.value or b"").inline: each for each in records}
    for number in range(3):
        record = sent[(pictures / f"{number}.jpg").read_bytes()]
        assert record.key == (b"well" if number == 2 else b"gate")
        assert b"Sultana" not in (record.value or b"")
        assert b"Kibo" not in (record.value or b"")


def test_publishing_nothing_is_a_failure(kafka: KafkaSettings, tmp_path: Path) -> None:
    result = resight("publish", tmp_path, *at(kafka))
    assert result.exit_code == 1
    assert "nothing to publish" in result.stderr


def test_one_bad_file_is_named_and_the_others_are_published(
    kafka: KafkaSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    strange = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    strange.mkdir()
    for number, folder in enumerate((tmp_path, tmp_path, strange)):
        Image.new("RGB", (32, 24), (number * 70, 9, 9)).save(folder / f"{number}.jpg")
    (tmp_path / "broken.jpg").write_bytes(b"no picture at all")
    real = Path.read_bytes

    def read_bytes(path: Path) -> bytes:
        if path.name == "1.jpg":
            raise OSError(5, "Input/output error", str(path))
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    told = resight("publish", tmp_path, *at(kafka), "--json")
    assert told.exit_code == 3
    (summary,) = [json.loads(line) for line in told.stdout.splitlines()]
    assert (summary["published"], summary["left_out"]) == (2, 2)
    reasons = {Path(each["path"]).name: each["reason"] for each in summary["skipped"]}
    assert reasons["1.jpg"] == "can't be read: Input/output error"
    assert "not a JPEG" in reasons["broken.jpg"]
    spoken = resight("publish", tmp_path, *at(kafka))
    assert spoken.exit_code == 3
    assert "1.jpg: can't be read: Input/output error" in spoken.stderr
    assert "2 pictures were skipped" in spoken.stderr
    assert "Traceback" not in spoken.output


def test_publishing_nothing_tells_programs_why(kafka: KafkaSettings, tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no picture at all")
    result = resight("publish", tmp_path, *at(kafka), "--json")
    assert result.exit_code == 1
    assert "not a JPEG" in json.loads(result.stdout)["skipped"][0]["reason"]


def test_a_folder_that_is_not_there_is_wrong_usage(kafka: KafkaSettings) -> None:
    result = resight("publish", "no/such/folder", *at(kafka))
    assert result.exit_code == 2
    assert "no/such/folder does not exist" in result.stderr


@pytest.fixture
def _collected(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Let sockets of refused connections, which the client never closes, go within the test.

    What the client logs about them would hold them past its end.
    """
    caplog.set_level(logging.CRITICAL, "kafka")
    yield
    gc.collect()


@pytest.mark.usefixtures("_collected")
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_a_broker_that_does_not_answer_is_a_sentence(pictures: Path) -> None:
    address = f"{HOST}:{free_port()}"
    result = resight("publish", pictures, "--bootstrap-servers", address)
    assert result.exit_code == 1
    assert f"Unable to bootstrap from ['{address}']" in result.stderr
    assert "Traceback" not in result.output


def test_without_stack_or_broker_the_way_out_is_told(
    pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RESIGHT_KAFKA_BOOTSTRAP_SERVERS", raising=False)
    result = resight("publish", pictures, "--data-dir", pictures / "none")
    assert result.exit_code == 1
    assert "resight up" in result.stderr


def test_watch_shows_decisions_for_people_and_programs(kafka: KafkaSettings) -> None:
    decision = Decision(
        gallery="default/lion",
        number=1,
        sighting_id="ab" * 32,
        outcome=OUTCOME_NEW,
        individual="lion-0001",
        deployment="gate",
    )
    send(kafka, topics.DECISIONS, decision.SerializeToString(), {})
    arguments = "watch", "--from-beginning", "--limit", 1, *at(kafka)
    (shown,) = lines(resight(*arguments, "--json"))
    assert shown["individual"] == "lion-0001"
    assert shown["outcome"] == "OUTCOME_NEW"
    told = resight(*arguments)
    assert told.exit_code == 0
    assert "lion-0001" in told.stdout
    assert "abababababab" in told.stdout


def test_watch_passes_over_what_is_no_decision(kafka: KafkaSettings) -> None:
    send(kafka, topics.DECISIONS, b"\xff\xff\xff", {})
    send(kafka, topics.DECISIONS, Decision(individual="lion-0009").SerializeToString(), {})
    told = resight("watch", "--from-beginning", "--limit", 2, *at(kafka))
    assert told.exit_code == 0, told.output
    assert "lion-0009" in told.stdout
    assert "Error parsing message" in told.stderr


def test_dead_letters_are_listed_and_replayed_once(kafka: KafkaSettings) -> None:
    letter = DeadLetter(
        topic=topics.CAPTURES,
        partition=0,
        offset=41,
        key=b"gate",
        value=b"half a picture",
        headers={"species": b"lion"},
        group="embedder",
        reason="the picture ends after 13 bytes",
        kind="truncated-image",
        sightings=1,
        attempt=1,
        time=datetime.now(UTC),
    )
    send(kafka, letter.address, b"half a picture", dead_letters.encode(letter))
    (listed,) = lines(resight("dead-letters", "list", *at(kafka), "--json"))
    assert listed["reason"] == letter.reason
    assert (listed["attempt"], listed["replayed"]) == (1, False)
    assert "13 bytes" in resight("dead-letters", "list", *at(kafka)).stdout.replace("\n", "")
    assert lines(resight("dead-letters", "list", "--kind", "other", "--json", *at(kafka))) == []

    declined = CliRunner().invoke(app, ["dead-letters", "replay", *at(kafka)], input="n\n")
    assert declined.exit_code == 1
    with TopicReader(kafka, [topics.CAPTURES], from_beginning=False) as feed:
        replay = "dead-letters", "replay", "--topic", topics.CAPTURES, "--yes", "--json", *at(kafka)
        assert lines(resight(*replay)) == [{"replayed": 1}]
        (record,) = feed.poll(10.0)
    assert record.value == b"half a picture"
    assert record.headers["species"] == b"lion"
    assert lines(resight(*replay)) == [{"replayed": 0}]
    (listed,) = lines(resight("dead-letters", "list", *at(kafka), "--json"))
    assert listed["replayed"]


def test_a_topic_without_dead_letters_is_wrong_usage(kafka: KafkaSettings) -> None:
    result = resight("dead-letters", "list", "--topic", "resight.captures", *at(kafka))
    assert result.exit_code == 2
    assert topics.CAPTURES in result.stderr.replace("\n", "")


def test_status_counts_what_waits(kafka: KafkaSettings, pictures: Path) -> None:
    (before,) = lines(resight("status", "--json", *at(kafka)))
    lines(resight("publish", pictures, "--json", *at(kafka)))
    (after,) = lines(resight("status", "--json", *at(kafka)))
    assert after["captures"] == before["captures"] + 3
    assert after["services"]["embedder"]["lag"] == before["services"]["embedder"]["lag"] + 3
    assert after["services"]["embedder"]["ready"] is None
    assert after["services"]["registry"]["lag"] == 0


def test_every_command_explains_itself() -> None:
    names = ("demo", "up", "publish", "watch", "status", "export", "dead-letters")
    for name in names:
        result = resight(name, "--help")
        assert result.exit_code == 0
        assert len(result.stdout) > 300, name

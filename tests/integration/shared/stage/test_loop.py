"""The consume loop against a real broker: what it promises about single messages."""

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from kafka import TopicPartition
from prometheus_client import REGISTRY

from shared.errors import Poison, Transient
from shared.kafka import topics
from shared.kafka.clients import MESSAGE_BYTES, consumer
from shared.messages import Capture, Decision, Sighting
from shared.records import Result
from shared.settings import KafkaSettings
from shared.stage.dead_letters import replay
from shared.stage.loop import Stage
from tests.support.stages import Recorder, Room, decided, nothing_follows, once, running
from tests.support.waiting import wait_until

TRACE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_messages_are_handled_in_order_and_committed_after_their_results(room: Room) -> None:
    names = [f"s{number}" for number in range(10)]
    handler = Recorder(decided)
    room.send(*names, headers=[("traceparent", TRACE)])

    with running(room.stage(handler, max_messages=4)):
        wait_until(lambda: len(handler.receipts) == len(names))

    assert handler.seen == names
    assert max(len(batch) for batch in handler.batches) <= 4
    assert [receipt.message.sighting_id for receipt in handler.receipts] == names  # type: ignore[attr-defined]
    assert room.committed() == len(names)
    results = [r for r in _records(room.kafka, topics.DECISIONS) if r.key == room.name.encode()]
    assert [Decision.FromString(r.value).sighting_id for r in results] == names
    assert {dict(r.headers)["traceparent"] for r in results} == {TRACE}


def test_only_a_trace_is_carried_along_as_one(room: Room) -> None:
    handler = Recorder(decided)
    room.send("s", headers=[("traceparent", b"x" * 100_000)])
    with running(room.stage(handler)):
        wait_until(lambda: len(handler.receipts) == 1)
    (result,) = [r for r in _records(room.kafka, topics.DECISIONS) if r.key == room.name.encode()]
    assert dict(result.headers) == {}


@pytest.mark.logs_errors
def test_poison_becomes_a_dead_letter_and_comes_back_from_it_with_its_second_attempt(
    room: Room,
) -> None:
    def refuses_bad(sightings: Sequence[Sighting]) -> list[Result]:
        return [
            Poison("the box is outside the image", kind="box-outside-image", sightings=2)
            if sighting.sighting_id == "bad"
            else []
            for sighting in sightings
        ]

    handler = Recorder(refuses_bad)
    room.send("good")
    room.send("bad", headers=[("traceparent", TRACE)])
    room.producer.send(room.topic, b"\xff\xff", b"camera").get(5)

    with running(room.stage(handler)):
        wait_until(lambda: len(room.letters()) == 2)
        box, garbage = room.letters()
        assert replay(room.kafka, [box]) == 1
        wait_until(lambda: len(room.letters()) == 3)

    assert (box.topic, box.partition, box.offset) == (room.topic, 0, 1)
    assert (box.key, Sighting.FromString(box.value or b"").sighting_id) == (b"camera", "bad")
    assert box.headers == {"traceparent": TRACE}
    assert (box.reason, box.kind) == ("the box is outside the image", "box-outside-image")
    assert (box.sightings, box.attempt, box.group) == (2, 1, room.name)
    assert box.time.tzinfo is not None
    assert (garbage.kind, garbage.value) == ("undecodable", b"\xff\xff")
    again = room.letters()[2]
    assert (again.attempt, again.offset, again.headers) == (2, 3, {"traceparent": TRACE})
    assert [bool(letter.mark and letter.mark.replayed) for letter in room.letters()] == [
        True,
        False,
        False,
    ]
    assert room.committed() == 4


def test_a_transient_error_holds_the_batch_and_the_membership_until_it_is_over(
    room: Room,
) -> None:
    over = threading.Event()

    def needs_dependency(sightings: Sequence[Sighting]) -> list[Result]:
        if not over.is_set():
            raise Transient("Qdrant does not respond")
        return nothing_follows(sightings)

    handler = Recorder(needs_dependency)
    stage = room.stage(handler)
    room.send("one", "two")
    with running(stage):
        wait_until(lambda: handler.batches)
        began = time.monotonic()
        # Longer than the session timeout, after which a silent member is thrown out.
        wait_until(lambda: time.monotonic() > began + 1.2 * room.kafka.session_timeout_seconds)
        assert room.committed() is None
        assert _status(stage, "/readyz") == (503, "waiting: Qdrant does not respond\n")
        assert _status(stage, "/healthz") == (200, "ok\n")
        over.set()
        wait_until(lambda: room.committed() == 2)
        wait_until(lambda: _status(stage, "/readyz") == (200, "ok\n"))
        assert f'resight_stage_ready{{service="{room.name}"}} 1.0' in _status(stage, "/metrics")[1]
        assert _rebalances(room) == 1

    assert set(handler.seen) == {"one", "two"}
    assert room.letters() == []


def test_what_must_be_done_first_is_tried_until_it_works_while_health_is_served(
    room: Room,
) -> None:
    over = threading.Event()
    tried: list[int] = []

    def prepare(tell: Callable[[str], None]) -> None:
        tried.append(1)
        if not over.is_set():
            raise Transient("the ledger is loading")
        tell("half done")
        wait_until(lambda: _status(stage, "/readyz") == (503, "waiting: half done\n"))

    room.send("one")
    stage = room.stage(Recorder(nothing_follows), prepare=prepare)
    with running(stage):
        wait_until(lambda: len(tried) > 1)
        assert _status(stage, "/readyz") == (503, "waiting: the ledger is loading\n")
        assert room.committed() is None
        over.set()
        wait_until(lambda: room.committed() == 1)
        after = len(tried)
    assert after == len(tried)


@pytest.mark.logs_errors
def test_poison_that_is_raised_costs_only_the_message_to_blame(room: Room) -> None:
    def raises(sightings: Sequence[Sighting]) -> list[Result]:
        if any(sighting.sighting_id == "bad" for sighting in sightings):
            raise Poison("can't be handled", kind="bad-box")
        return nothing_follows(sightings)

    room.send("a", "bad", "b")
    with running(room.stage(Recorder(raises))):
        wait_until(lambda: room.committed() == 3)

    assert [letter.offset for letter in room.letters()] == [1]


@pytest.mark.logs_errors
def test_a_result_that_is_too_large_makes_its_message_a_dead_letter(room: Room) -> None:
    def grows(sightings: Sequence[Sighting]) -> list[Result]:
        too_large = Capture(capture_id="c", inline=b"\0" * (MESSAGE_BYTES + 100_000))
        return [[too_large] if sighting.sighting_id == "large" else [] for sighting in sightings]

    room.send("small", "large", "after")
    with running(room.stage(Recorder(grows))):
        wait_until(lambda: room.committed() == 3)

    (letter,) = room.letters()
    assert (letter.offset, letter.kind) == (1, "output-too-large")
    assert "Capture" in letter.reason
    assert topics.CAPTURES in letter.reason


def test_a_batch_is_cut_so_that_its_bytes_stay_bounded(room: Room) -> None:
    handler = Recorder(nothing_follows)
    room.send("a", "b", "c", "larger", padding=40_000)
    with running(room.stage(handler, settings={"max_bytes": 100_000})):
        wait_until(lambda: room.committed() == 4)

    assert handler.batches == [["a", "b"], ["c", "larger"]]


def test_topics_that_are_held_wait_while_the_others_go_on(kafka: KafkaSettings) -> None:
    room = Room(kafka, more=1)
    first, second = room.topics
    held = frozenset({first})
    room.send("held", topic=first)
    room.send("free", topic=second)
    handler = Recorder(nothing_follows)
    with running(room.stage(handler, pace=lambda: held)):
        wait_until(lambda: room.committed(second) == 1)
        assert handler.seen == ["free"]
        held = frozenset()
        wait_until(lambda: room.committed(first) == 1)
    assert handler.seen == ["free", "held"]
    room.producer.close(timeout=5)


def test_a_topic_to_rewind_is_read_from_its_beginning_whatever_was_committed(
    kafka: KafkaSettings,
) -> None:
    room = Room(kafka, more=1)
    rewound, other = room.topics
    room.send("e1", "e2", topic=rewound)
    room.send("s1", topic=other)
    for expected in (["e1", "e2", "s1"], ["e1", "e2", "e3", "s2"]):
        handler = Recorder(nothing_follows)
        with running(room.stage(handler, rewind=once(rewound))):
            wait_until(lambda: len(handler.seen) >= len(expected))  # noqa: B023
        assert sorted(handler.seen) == expected
        room.send("e3", topic=rewound)
        room.send("s2", topic=other)
    room.producer.close(timeout=5)


def test_a_rewind_that_was_cut_short_is_not_taken_for_done(kafka: KafkaSettings) -> None:
    room = Room(kafka)
    room.send("e1", "e2")
    handler = Recorder(nothing_follows)
    with running(room.stage(handler)):
        wait_until(lambda: room.committed() == 2)

    def fail(_: Sequence[Sighting]) -> Sequence[Result]:
        raise Transient("the disk is full")

    with running(room.stage(Recorder(fail), rewind=once(room.topic))):
        wait_until(lambda: room.committed() == 0)
    again = Recorder(nothing_follows)
    with running(room.stage(again)):
        wait_until(lambda: room.committed() == 2)
    assert again.seen == ["e1", "e2"]
    room.producer.close(timeout=5)


def test_a_topic_is_read_anew_while_it_is_being_read(room: Room) -> None:
    asked: list[frozenset[str]] = []
    room.send("e1", "e2")
    handler = Recorder(nothing_follows)
    with running(room.stage(handler, rewind=lambda: asked.pop() if asked else frozenset())):
        wait_until(lambda: room.committed() == 2)
        asked.append(frozenset({room.topic}))
        wait_until(lambda: handler.seen == ["e1", "e2", "e1", "e2"])
        room.send("e3")
        wait_until(lambda: room.committed() == 3)
    assert handler.seen[-1] == "e3"
    assert len(handler.seen) == 5


@pytest.mark.logs_errors
def test_a_client_that_stops_fetching_is_built_anew(room: Room) -> None:
    handler = Recorder(nothing_follows)
    room.send("before")
    stage = room.stage(handler, settings={"stall_seconds": 1})
    with running(stage):
        wait_until(lambda: room.committed() == 1)
        # What kafka-python's issue #3106 left behind: a partition that waits for a
        # validation of its position that never comes.
        client = stage._consumer._consumer
        assert client is not None
        state = client._subscription.assignment[TopicPartition(room.topic, 0)]
        state.next_allowed_retry_time = float("inf")
        state._awaiting_validation = True
        room.send("after")
        wait_until(lambda: room.committed() == 2)
    assert handler.seen == ["before", "after"]
    assert REGISTRY.get_sample_value("resight_stage_stalls_total", {"service": room.name}) == 1


def _records(kafka: KafkaSettings, topic: str) -> list[Any]:
    client = consumer(kafka, "test")
    parts = [TopicPartition(topic, number) for number in client.partitions_for_topic(topic)]
    client.assign(parts)
    client.seek_to_beginning(*parts)
    ends = client.end_offsets(parts)
    found: list[Any] = []
    while any(client.position(part) < ends[part] for part in parts):
        found += [raw for raws in client.poll(1000).values() for raw in raws]
    client.close()
    return found


def _rebalances(room: Room) -> float | None:
    return REGISTRY.get_sample_value("resight_stage_rebalances_total", {"service": room.name})


def _status(stage: Stage[Any], path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{stage.port}{path}") as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()

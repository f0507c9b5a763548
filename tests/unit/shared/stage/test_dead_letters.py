import hashlib
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.errors import Poison
from shared.records import Record
from shared.stage.dead_letters import LeftOut, Mark, dead_letter, decode, encode, short

NOW = datetime(2026, 11, 2, 12, 30, tzinfo=UTC)
RECORD = Record("resight.captures.v1", 3, 42, b"cam", b"image", 0, {"traceparent": b"00-1"})


def test_a_letter_reads_as_it_was_written() -> None:
    poison = Poison("the box is outside — x = 1.2", kind="box-outside-image", sightings=3)
    letter = dead_letter(RECORD, poison, "embedder", NOW)
    written = Record(letter.address, 0, 7, letter.key, letter.value, 0, encode(letter))
    assert written.topic == "resight.captures.v1.embedder.dlq"
    assert decode(written, replayed=True) == replace(letter, mark=Mark(0, 7, replayed=True))


def test_headers_of_the_original_stay_and_ours_are_added() -> None:
    headers = encode(dead_letter(RECORD, Poison("why", kind="invalid"), "embedder", NOW))
    assert headers == {
        "traceparent": b"00-1",
        "resight-reason": b"why",
        "resight-kind": b"invalid",
        "resight-topic": b"resight.captures.v1",
        "resight-partition": b"3",
        "resight-offset": b"42",
        "resight-attempt": b"1",
        "resight-time": b"2026-11-02T12:30:00+00:00",
        "resight-sightings": b"1",
    }


@pytest.mark.parametrize(
    ("before", "attempt"), [(b"2", 3), (b"", 1), (b"many", 1), (b"9" * 5000, 1), ("٣".encode(), 1)]
)
def test_attempts_count_up_from_what_a_replay_carries(before: bytes, attempt: int) -> None:
    again = replace(RECORD, headers={"resight-attempt": before})
    assert dead_letter(again, Poison("why"), "embedder", NOW).attempt == attempt


def test_a_record_that_is_no_letter_is_named() -> None:
    stray = Record("resight.captures.v1.embedder.dlq", 1, 9, None, b"", 0)
    with pytest.raises(ValueError, match=r"captures.v1.embedder.dlq partition 1 offset 9"):
        decode(stray, replayed=False)


def test_a_short_letter_says_what_it_left_out() -> None:
    letter = short(dead_letter(RECORD, Poison("why"), "embedder", NOW))
    written = Record(letter.address, 0, 7, letter.key, letter.value, 0, encode(letter))
    found = decode(written, replayed=False)
    assert (found.key, found.value, found.headers) == (None, None, {})
    assert found.left_out == LeftOut(5, hashlib.sha256(b"image").hexdigest())
    assert (found.topic, found.offset, found.reason) == (RECORD.topic, 42, "why")

"""Batches as a broker gives them, each with something that no client should choke on."""

import gzip
import struct
from collections.abc import Callable
from typing import Any

import pytest
from kafka import TopicPartition
from kafka.record import MemoryRecords
from kafka.record.default_records import DefaultRecordBase, DefaultRecordBatchBuilder
from kafka.record.util import calc_crc32c

from shared.kafka import record_batches
from shared.kafka.clients import as_record
from shared.kafka.record_batches import TolerantRecords
from shared.records import Record
from tests.support.samples.poison import BadName

PLACE = TopicPartition("captures", 3)
CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


def batch(
    *values: bytes,
    codec: int = 0,
    offset: int = 0,
    headers: dict[int, Any] | None = None,
    transactional: bool = False,
) -> bytes:
    producer = 7 if transactional else -1
    builder = DefaultRecordBatchBuilder(2, codec, transactional, producer, 0, 0, 2**20)
    for number, value in enumerate(values):
        name = (headers or {}).get(number, "deployment")
        builder.append(number, 1_000 + number, b"key", value, [(name, b"cam-1")])
    made = bytearray(builder.build())
    struct.pack_into(">q", made, 0, offset)
    return bytes(made)


def sealed(made: bytearray) -> bytes:
    """Return a batch that was tampered with, its checksum right again."""
    crc = calc_crc32c(memoryview(made)[DefaultRecordBase.ATTRIBUTES_OFFSET :])
    struct.pack_into(">I", made, DefaultRecordBase.CRC_OFFSET, crc)
    return bytes(made)


def read(fetched: bytes, start: int = 0, aborted: Any = None) -> list[Record]:
    found = TolerantRecords(start, PLACE, MemoryRecords(fetched), aborted_transactions=aborted)
    return [as_record(raw) for raw in found.take()]


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_a_batch_in_any_codec_is_read(codec: int) -> None:
    found = read(batch(b"one", b"two", codec=codec, offset=40))
    assert [(r.offset, r.value, r.fault) for r in found] == [(40, b"one", ""), (41, b"two", "")]
    assert found[0].headers == {"deployment": b"cam-1"}
    assert (found[1].key, found[1].timestamp_ms) == (b"key", 1_001)


def test_reading_begins_in_the_middle_of_a_batch() -> None:
    fetched = batch(b"a", b"b", b"c", codec=1, offset=10) + batch(b"d", offset=13)
    assert [r.value for r in read(fetched, 12)] == [b"c", b"d"]


def test_a_header_name_that_is_no_utf8_costs_that_record_its_headers_and_no_other_anything() -> (
    None
):
    found = read(batch(b"a", b"b", b"c", offset=5, headers={1: BadName("x")}))
    assert [(r.offset, r.value) for r in found] == [(5, b"a"), (6, b"b"), (7, b"c")]
    assert [bool(r.fault) for r in found] == [False, True, False]
    assert "utf-8" in found[1].fault
    assert (found[1].key, found[1].timestamp_ms, found[1].headers) == (b"key", 1_001, {})


@pytest.mark.parametrize("codec", [5, 6, 7])
def test_a_codec_that_nobody_knows_costs_the_records_of_its_batch(codec: int) -> None:
    made = bytearray(batch(b"a", b"b", offset=5))
    made[DefaultRecordBase.ATTRIBUTES_OFFSET + 1] = codec
    found = read(sealed(made) + batch(b"c", offset=7))
    assert [(r.offset, r.value) for r in found] == [(5, None), (6, None), (7, b"c")]
    assert f"compression codec {codec}" in found[0].fault


def _damaged(made: bytearray) -> bytes:
    made[-3] ^= 0xFF
    return bytes(made)


def _no_gzip(made: bytearray) -> bytes:
    made[DefaultRecordBase.ATTRIBUTES_OFFSET + 1] = CODECS["gzip"]
    return sealed(made)


def _longer_than_it_is(made: bytearray) -> bytes:
    made[DefaultRecordBase.HEADER_STRUCT.size] = 0x7E  # the first record claims 63 bytes
    return sealed(made)


@pytest.mark.parametrize(
    ("harm", "told"),
    [(_damaged, "checksum"), (_no_gzip, "damaged"), (_longer_than_it_is, "damaged")],
)
def test_a_damaged_batch_ends_with_itself(harm: Callable[[bytearray], bytes], told: str) -> None:
    found = read(harm(bytearray(batch(b"a", b"b", offset=5))) + batch(b"c", offset=7))
    assert [(r.offset, r.value) for r in found] == [(5, None), (6, None), (7, b"c")]
    assert all(told in r.fault for r in found[:2])


@pytest.mark.parametrize("name", ["gzip", "snappy", "lz4", "zstd"])
def test_a_batch_that_swells_in_memory_is_stopped_at_a_limit(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_batches, "MAX_BATCH_BYTES", 100_000)
    found = read(batch(bytes(200_000), codec=CODECS[name]) + batch(b"after", offset=1))
    assert [(r.offset, r.value) for r in found] == [(0, None), (1, b"after")]
    assert "unpacks to more than 100000 bytes" in found[0].fault


def test_a_stream_that_ends_early_is_no_batch() -> None:
    made = bytearray(batch(b"a" * 50))
    head = DefaultRecordBase.HEADER_STRUCT.size
    cut = made[:head] + gzip.compress(bytes(made[head:]))[:-6]
    cut[DefaultRecordBase.ATTRIBUTES_OFFSET + 1] = CODECS["gzip"]
    struct.pack_into(">i", cut, 8, len(cut) - 12)
    assert "ends early" in read(sealed(cut))[0].fault


def test_what_a_transaction_took_back_is_not_there() -> None:
    class Aborted:
        first_offset, producer_id = 0, 7

    fetched = batch(b"taken back", transactional=True) + batch(b"stays", offset=1)
    found = TolerantRecords(
        0, PLACE, MemoryRecords(fetched), isolation_level=1, aborted_transactions=[Aborted()]
    )
    assert [raw.value for raw in found.take()] == [b"stays"]

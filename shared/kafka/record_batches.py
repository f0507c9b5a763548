"""Record batches read record by record, so that an unreadable one affects only itself.

kafka-python raises out of `poll` at the first record that it can't parse, and again at
the next poll: one header name that is no UTF-8, or one batch in a codec that is not
installed, would stop its partition for ever. Here `poll` returns such a record like any other, with
the reason in place of its contents.
"""

import io
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import lz4.frame
import snappy
import zstandard
from kafka.consumer.fetcher import ConsumerRecord, Fetcher
from kafka.errors import CorruptRecordError
from kafka.record.default_records import DefaultRecordBase
from kafka.record.util import decode_varint

# Photographs hardly compress, metadata tenfold. A batch that expands beyond this is an attack.
MAX_BATCH_BYTES = 256 * 1024 * 1024

_CHUNK_BYTES = 1024 * 1024
_GZIP = 16 + zlib.MAX_WBITS
_XERIAL = b"\x82SNAPPY\0"
_XERIAL_HEADER_BYTES = 16


class Unreadable(ConsumerRecord):  # type: ignore[misc]  # the client is untyped
    """A record of which only key and value, or only the offset, could be read; `fault` says why."""

    fault: str


class TolerantRecords(Fetcher.PartitionRecords):  # type: ignore[misc]
    """The records of one fetch; unreadable ones are `Unreadable`."""

    next_fetch_offset: int

    def _unpack_records(
        self, tp: Any, records: Any, key_deserializer: Any, value_deserializer: Any
    ) -> Iterator[Any]:
        del key_deserializer, value_deserializer  # this project uses none
        last = None
        while (batch := records.next_batch()) is not None:
            last = batch
            if batch.magic < 2:
                yield from self._old(tp, batch)
            elif not self._is_hidden(batch):
                yield from self._new(tp, batch)
            self.next_fetch_offset = max(self.next_fetch_offset, _end(batch))
        if last is not None and last.magic >= 2:
            self.next_fetch_offset = last.next_offset
        self.drain()

    def _is_hidden(self, batch: Any) -> bool:
        """Return whether consumers skip a batch: transaction markers, aborted records."""
        self.leader_epoch = batch.leader_epoch
        if batch.has_producer_id():
            self._consume_aborted_transactions_up_to(batch.last_offset)
            if batch.is_control_batch:
                if self._contains_abort_marker(batch):
                    self.aborted_producer_ids.discard(batch.producer_id)
            elif self._is_batch_aborted(batch):
                return True
        return bool(batch.is_control_batch)

    def _new(self, tp: Any, batch: Any) -> Iterator[Any]:
        read = 0
        try:
            _open(batch)
            while read < batch.records_count:
                yield self._next(tp, batch)
                read += 1
        except Exception as error:  # codec libraries raise anything
            for offset in range(batch.base_offset + read, batch.base_offset + batch.records_count):
                yield self._unreadable(tp, offset, f"its batch is damaged: {error}")

    def _next(self, tp: Any, batch: Any) -> Any:
        """Return the next record; malformed headers are dropped.

        Raises:
            Exception: where it ends is lost too, and so is the rest of the batch.
        """
        start = batch._pos  # noqa: SLF001 - the only way to step over one record
        try:
            record = next(batch)
        except Exception as error:
            found, batch._pos = _salvaged(batch, start)  # noqa: SLF001
            batch._next_record_index += 1  # noqa: SLF001
            return self._unreadable(tp, found.pop("offset"), str(error), **found)
        return self._readable(tp, record)

    def _old(self, tp: Any, batch: Any) -> Iterator[Any]:
        """Read a message set of Kafka before 0.11; a damaged one has unreliable offsets."""
        try:
            for record in batch:
                yield self._readable(tp, record)
        except Exception as error:
            yield self._unreadable(tp, self.next_fetch_offset, f"its message set: {error}")

    def _readable(self, tp: Any, record: Any) -> Any:
        self._passed(record.offset, record.size_in_bytes)
        return ConsumerRecord(
            *(tp.topic, tp.partition, self.leader_epoch, record.offset, record.timestamp),
            *(record.timestamp_type, record.key, record.value, record.headers),
            *(record.checksum, -1, -1, -1),
        )

    def _unreadable(
        self,
        tp: Any,
        offset: int,
        fault: str,
        *,
        key: bytes | None = None,
        value: bytes | None = None,
        timestamp: int = -1,
    ) -> Unreadable:
        self._passed(offset, 0)
        record = Unreadable(
            *(tp.topic, tp.partition, self.leader_epoch, offset, timestamp, 0),
            *(key, value, [], None, -1, -1, -1),
        )
        record.fault = fault
        return record

    def _passed(self, offset: int, size: int) -> None:
        self.records_read += 1
        self.bytes_read += size
        self.next_fetch_offset = offset + 1


def _end(batch: Any) -> int:
    return int(batch.next_offset) if batch.magic >= 2 else 0


def _open(batch: Any) -> None:
    """Check a batch and unpack it, in bounded memory."""
    if not batch.validate_crc():
        raise CorruptRecordError("its checksum is wrong")
    if batch.compression_type != DefaultRecordBase.CODEC_NONE:
        unpack = _CODECS.get(batch.compression_type)
        if unpack is None:
            raise ValueError(f"unknown compression codec {batch.compression_type}")
        batch._buffer = unpack(bytes(memoryview(batch._buffer)[batch._pos :]))  # noqa: SLF001
        batch._pos = 0  # noqa: SLF001
    batch._decompressed = True  # noqa: SLF001


def _salvaged(batch: Any, start: int) -> tuple[dict[str, Any], int]:
    """Return offset, time, key and value of a record whose headers are bad, and where it ends."""
    buffer = batch._buffer  # noqa: SLF001
    length, begin = decode_varint(buffer, start)
    end = begin + length
    if not begin < end <= len(buffer):
        raise ValueError(f"a record claims {length} bytes")
    _, at = decode_varint(buffer, begin)
    later, at = decode_varint(buffer, at)
    number, at = decode_varint(buffer, at)
    key, at = _bytes(buffer, at)
    value, at = _bytes(buffer, at)
    if at > end:
        raise ValueError(f"a record is longer than the {length} bytes that it claims")
    found = {
        "offset": batch.base_offset + number,
        "timestamp": batch.first_timestamp + later,
        "key": key,
        "value": value,
    }
    return found, end


def _bytes(buffer: bytearray, at: int) -> tuple[bytes | None, int]:
    length, at = decode_varint(buffer, at)
    if length < 0:
        return None, at
    return bytes(buffer[at : at + length]), at + length


def _gzip(data: bytes) -> bytearray:
    return _stream(zlib.decompressobj(_GZIP), data)


def _snappy(data: bytes) -> bytearray:
    if not data.startswith(_XERIAL):
        return _snappy_block(data)
    unpacked, at = bytearray(), _XERIAL_HEADER_BYTES
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        unpacked += _snappy_block(data[at + 4 : at + 4 + size])
        _bound(len(unpacked))
        at += 4 + size
    return unpacked


def _snappy_block(data: bytes) -> bytearray:
    size, shift = 0, 0  # a block begins with its size, 7 bits a byte
    for byte in data[:5]:
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    _bound(size)
    return bytearray(snappy.decompress(data))


def _lz4(data: bytes) -> bytearray:
    return _stream(lz4.frame.LZ4FrameDecompressor(), data)


def _stream(engine: Any, data: bytes) -> bytearray:
    unpacked = bytearray(engine.decompress(data, MAX_BATCH_BYTES + 1))
    _bound(len(unpacked))
    if not engine.eof:
        raise ValueError("its packed stream ends early")
    return unpacked


def _zstd(data: bytes) -> bytearray:
    unpacked = bytearray()
    with zstandard.ZstdDecompressor(max_window_size=2**27).stream_reader(
        io.BytesIO(data), read_across_frames=True
    ) as reader:
        while chunk := reader.read(_CHUNK_BYTES):
            unpacked += chunk
            _bound(len(unpacked))
    return unpacked


def _bound(size: int) -> None:
    if size > MAX_BATCH_BYTES:
        raise ValueError(f"it unpacks to more than {MAX_BATCH_BYTES} bytes")


_CODECS: Mapping[int, Callable[[bytes], bytearray]] = {
    DefaultRecordBase.CODEC_GZIP: _gzip,
    DefaultRecordBase.CODEC_SNAPPY: _snappy,
    DefaultRecordBase.CODEC_LZ4: _lz4,
    DefaultRecordBase.CODEC_ZSTD: _zstd,
}

"""Limits for reading untrusted catalogues: a few kilobytes can unpack to gigabytes."""

import math
import struct
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from catalogue.reading.listing import ForeignError

MEBIBYTE = 1024 * 1024
MOST_LINE = MEBIBYTE
MOST_COLUMNS = 500

# ZIP: the end of the central directory, and of that with 64 bits (APPNOTE 4.3.14 to 4.3.16).
_END, _LOCATOR, _END64 = b"PK\x05\x06", b"PK\x06\x07", b"PK\x06\x06"
_END_BYTES, _LOCATOR_BYTES, _END64_BYTES, _MOST_COMMENT = 22, 20, 56, 65535


@dataclass(frozen=True)
class Limits:
    """Limits for one catalogue.

    rows: lines of a table
    text_bytes: size of a table or COCO file
    values: numbers, texts, lists and objects in a COCO file
    directory_bytes: central directory of a ZIP, about 90 per file
    unpacked_bytes: total of all files in a ZIP
    seconds: reading time; `end`: by the monotonic clock, once started
    """

    rows: int
    text_bytes: int
    values: int
    directory_bytes: int
    unpacked_bytes: int
    seconds: float
    end: float = math.inf

    def begin(self) -> "Limits":
        """Return the same limits with the clock started."""
        return replace(self, end=time.monotonic() + self.seconds)

    def check_time(self) -> None:
        """Raise ForeignError when reading has taken too long."""
        if time.monotonic() > self.end:
            raise ForeignError(
                f"reading it takes longer than {self.seconds:.0f} s; import it in parts"
            )

    def check_text(self, path: Path) -> None:
        """Raise ForeignError when a file is too large."""
        size = path.stat().st_size
        if size > self.text_bytes:
            raise ForeignError(
                f"{path} has {size} bytes, and the limit is {self.text_bytes}; import it in parts"
            )

    def check_values(self, path: Path, data: bytes) -> None:
        """Raise ForeignError when JSON has too many values, without parsing it."""
        count = sum(data.count(mark) for mark in (b",", b"[", b"{"))
        if count > self.values:
            raise ForeignError(
                f"{path} holds about {count:,} values; the limit is {self.values:,}. Import it in "
                "parts"
            )

    def lines(self, path: Path, lines: Iterable[str]) -> Iterator[str]:
        """Yield a table's lines; raise ForeignError at one too many, or too long."""
        for number, line in enumerate(lines, 1):
            if number > self.rows:
                raise ForeignError(f"{path} has more than {self.rows:,} lines; import it in parts")
            if len(line) > MOST_LINE:
                raise ForeignError(f"{path} has a line of {len(line):,} characters (line {number})")
            if number % 1000 == 0:
                self.check_time()
            yield line

    def check_columns(self, path: Path, count: int) -> None:
        """Raise ForeignError when a table has too many columns."""
        if count > MOST_COLUMNS:
            raise ForeignError(f"{path} has {count:,} columns; the limit is {MOST_COLUMNS}")

    def check_directory(self, archive: BinaryIO, name: str) -> None:
        """Raise ForeignError when a ZIP lists too many files, judged by its end record."""
        size = _directory_bytes(archive)
        if size > self.directory_bytes:
            raise ForeignError(
                f"the file list of {name} has {size:,} bytes; the limit is "
                f"{self.directory_bytes:,}, about {self.directory_bytes // 90:,} files. Import it "
                "in parts"
            )


# For uploads, in a process that serves everyone.
PAGES = Limits(
    rows=200_000,
    text_bytes=64 * MEBIBYTE,
    values=2_000_000,
    directory_bytes=8 * MEBIBYTE,
    unpacked_bytes=4 * 1024 * MEBIBYTE,
    seconds=300.0,
)
# For imports on one's own machine.
COMMAND = Limits(
    rows=10_000_000,
    text_bytes=4 * 1024 * MEBIBYTE,
    values=200_000_000,
    directory_bytes=1024 * MEBIBYTE,
    unpacked_bytes=64 * 1024 * MEBIBYTE,
    seconds=24 * 3600.0,
)


def _directory_bytes(archive: BinaryIO) -> int:
    """Return the declared size of a ZIP's central directory; 0: none."""
    end = archive.seek(0, 2)
    tail_at = max(0, end - _END_BYTES - _MOST_COMMENT - _LOCATOR_BYTES)
    archive.seek(tail_at)
    tail = archive.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + _END_BYTES:
        return 0
    (size,) = struct.unpack_from("<L", tail, at + 12)
    locator = tail[max(0, at - _LOCATOR_BYTES) : at]
    if not locator.startswith(_LOCATOR):
        return int(size)
    # In ZIP64 the second record counts.
    archive.seek(max(0, tail_at + at - _LOCATOR_BYTES - _END64_BYTES))
    second = archive.read(_END64_BYTES)
    if not second.startswith(_END64):
        return int(size)
    (wide,) = struct.unpack_from("<Q", second, 40)
    return max(int(wide), 0 if size == 0xFFFFFFFF else int(size))

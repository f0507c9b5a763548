"""An export as a ZIP: a format's files, the pictures, and what was left out with its reason."""

import io
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from services.registry.exports.camtrap_dp import package
from services.registry.exports.coco import coco
from services.registry.exports.histories import mark, secr_captures, secr_detectors
from services.registry.exports.pieces import Pieces, table
from services.registry.exports.record import Record, Records
from services.registry.exports.tables import csv_table, parquet_table
from services.registry.exports.wildbook import wildbook
from shared.errors import Poison
from shared.messages import BlobReference

Format = Literal["csv", "parquet", "coco", "camtrap-dp", "wildbook", "mark", "secr"]
FORMATS: tuple[Format, ...] = get_args(Format)

LEFT_OUT = "left_out.csv"


@dataclass(frozen=True)
class ExportRequest:
    """What to export. `days`: of an occasion, for capture histories."""

    kind: Format
    gallery: str
    now: datetime
    days: int = 1


@dataclass(frozen=True)
class Files:
    """An export's files by their paths, and why a record is not in it: '' where it is."""

    files: Mapping[str, Pieces]
    lacks: Callable[[Record], str]


def files(found: Records, wanted: ExportRequest) -> Files:
    """Return what an export holds."""
    if wanted.kind == "camtrap-dp":
        made = package(found, wanted.gallery, wanted.now)
        return Files(made.files, made.lacks)
    tables: Mapping[str, Callable[[], dict[str, Pieces]]] = {
        "csv": lambda: {"metadata.csv": csv_table(found)},
        "parquet": lambda: {"sightings.parquet": parquet_table(found)},
        "coco": lambda: {"annotations.json": coco(found)},
        "wildbook": lambda: {"wildbook.csv": wildbook(found)},
        "mark": lambda: {"histories.inp": mark(found, wanted.days)},
        "secr": lambda: {
            "captures.txt": secr_captures(found, wanted.days),
            "detectors.txt": secr_detectors(found),
        },
    }
    return Files(tables[wanted.kind](), lambda _: "")


def zipped(
    made: Files, found: Records, read: Callable[[BlobReference], bytes] | None = None
) -> Iterator[bytes]:
    """Yield a ZIP in pieces; with what reads crops, their pictures too.

    A picture that is gone is told of among what is left out.
    """
    target = _Taken()
    with (
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive,
        tempfile.TemporaryFile("w+", encoding="utf-8", newline="") as gone,
    ):
        for path, pieces in made.files.items():
            with archive.open(path, "w", force_zip64=True) as member:
                for piece in pieces:
                    member.write(piece)
                    yield target.taken()
        left = 0
        for record in found:
            reason = made.lacks(record)
            if read and not reason and record.crop is not None:
                try:
                    # JPEGs don't get smaller.
                    crop = BlobReference(**record.crop._asdict())
                    archive.writestr(record.picture, read(crop), zipfile.ZIP_STORED)
                except Poison as error:
                    reason = f"its picture is gone: {error.reason}"
                yield target.taken()
            if reason:
                left += 1
                for piece in table((record.sighting, reason), ()):
                    gone.write(piece.decode())
        if left:
            gone.seek(0)
            with archive.open(LEFT_OUT, "w", force_zip64=True) as member:
                member.write(b"sighting,reason\n")
                while text := gone.read(65_536):
                    member.write(text.encode())
                    yield target.taken()
    yield target.taken()


class _Taken(io.RawIOBase):
    """Takes what is written until somebody asks for it; can't go back, so ZIP64 notes follow."""

    def __init__(self) -> None:
        self._kept = bytearray()

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]
        """Keep some bytes."""
        self._kept += data
        return len(data)

    def taken(self) -> bytes:
        """Return what was written since the last call."""
        found, self._kept = bytes(self._kept), bytearray()
        return found

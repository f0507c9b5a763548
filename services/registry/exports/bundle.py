"""An export as one file: a table, or a ZIP with pictures and what was left out."""

import csv
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from services.registry.exports.camtrap_dp import package
from services.registry.exports.coco import coco
from services.registry.exports.histories import mark, secr_captures, secr_detectors
from services.registry.exports.record import Record, identified
from services.registry.exports.tables import csv_table, parquet_table
from services.registry.exports.wildbook import wildbook
from shared.errors import Poison
from shared.messages import BlobReference

Format = Literal["csv", "parquet", "coco", "camtrap-dp", "wildbook", "mark", "secr"]
FORMATS: tuple[Format, ...] = get_args(Format)

LEFT_OUT = "left_out.csv"


@dataclass(frozen=True)
class Wanted:
    """What to export. `days`: of an occasion, for capture histories."""

    kind: Format
    gallery: str
    now: datetime
    days: int = 1


def files(found: Sequence[Record], wanted: Wanted) -> tuple[dict[str, bytes], dict[str, str]]:
    """Return an export's files by their paths, and why sightings are not in it, by their IDs."""
    if wanted.kind == "camtrap-dp":
        made = package(identified(found), wanted.gallery, wanted.now)
        return made.files, made.left_out
    tables: Mapping[str, Callable[[], dict[str, bytes]]] = {
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
    return tables[wanted.kind](), {}


def zipped(
    made: Mapping[str, bytes],
    left_out: Mapping[str, str],
    pictures: Iterable[Record] = (),
    read: Callable[[BlobReference], bytes] = lambda _: b"",
) -> Iterator[bytes]:
    """Yield a ZIP in pieces, so that nobody holds all of it; a picture that is gone is told of."""
    target = _Pieces()
    gone = dict(left_out)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in made.items():
            archive.writestr(path, content)
        yield target.taken()
        for record in pictures:
            if record.crop is None:
                continue
            try:
                content = read(record.crop)
            except Poison as error:
                gone[record.sighting] = f"its picture is gone: {error.reason}"
                continue
            # JPEGs don't get smaller.
            archive.writestr(record.picture, content, zipfile.ZIP_STORED)
            yield target.taken()
        if gone:
            archive.writestr(LEFT_OUT, _told(gone))
    yield target.taken()


def _told(gone: Mapping[str, str]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("sighting", "reason"))
    writer.writerows(gone.items())
    return text.getvalue().encode()


class _Pieces(io.RawIOBase):
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

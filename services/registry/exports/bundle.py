"""An export as a ZIP: the format's files, the pictures, and skipped records with reasons."""

import io
import tempfile
import zipfile
from collections.abc import Callable, Iterator

from services.registry.exports.format import Files
from services.registry.exports.pieces import table
from services.registry.exports.record import Records
from shared.errors import Poison
from shared.messages import BlobReference

LEFT_OUT = "left_out.csv"


def zipped(
    made: Files, found: Records, read: Callable[[BlobReference], bytes] | None = None
) -> Iterator[bytes]:
    """Yield a ZIP in pieces; with a function that reads crops, including pictures.

    Missing pictures are listed among the skipped records.
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
                    # JPEGs are compressed already.
                    crop = BlobReference(**record.crop._asdict())
                    archive.writestr(record.picture, read(crop), zipfile.ZIP_STORED)
                except Poison as error:
                    reason = f"its picture is missing: {error.reason}"
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
    """A write-only file that returns its bytes in pieces.

    Not seekable, so ZIP data descriptors follow.
    """

    def __init__(self) -> None:
        self._kept = bytearray()

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]
        """Buffer some bytes."""
        self._kept += data
        return len(data)

    def taken(self) -> bytes:
        """Return what was written since the last call."""
        found, self._kept = bytes(self._kept), bytearray()
        return found

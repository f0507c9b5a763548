"""ZIPs that cost far more to read than to send."""

import io
import struct
import zipfile

MEBIBYTE = 1024 * 1024


def zipped(name: str, data: bytes) -> bytes:
    """A ZIP of one file."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(name, data)
    return target.getvalue()


def newlines() -> bytes:
    """A table of nothing but lines."""
    return zipped("metadata.csv", b"path,identity\n" + b"\n" * 48 * MEBIBYTE)


def million_files() -> bytes:
    """A list of a million files and no file."""
    one = zipped("a" * 8, b"")
    entry = one[one.rfind(b"PK\x01\x02") : one.rfind(b"PK\x05\x06")]
    directory = entry * 1_000_000
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, len(directory), 0, 0)
    return directory + end

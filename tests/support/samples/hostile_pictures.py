"""Small files that are dear to decode, as somebody may send them."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

from tests.support.samples.pictures import encoded


def many_scans(count: int, side: int = 4000) -> bytes:
    """Return a progressive JPEG of one colour whose last scan comes `count` times more.

    It refines what is there, in some 50 bytes, and each time over the whole picture.
    """
    flat = np.full((side, side, 3), 128, np.uint8)
    data = encoded(flat, "JPEG", progressive=True)
    begin, end = data.rindex(b"\xff\xda"), data.rindex(b"\xff\xd9")
    return data[:end] + data[begin:end] * count + data[end:]


def large_png(side: int, depth: int, colour: int, channels: int) -> bytes:
    """Return a PNG of side × side black pixels; a few hundred kB."""
    row = b"\0" + bytes(side * channels * depth // 8)
    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, depth, colour, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def grey16_png(side: int) -> bytes:
    """Return a PNG of 16 bits a pixel."""
    return large_png(side, 16, 0, 1)


def rgba_png(side: int) -> bytes:
    """Return a PNG with transparency."""
    return large_png(side, 8, 6, 4)


def flat_tiff(side: int) -> bytes:
    """Return a TIFF of one colour, packed."""
    target = io.BytesIO()
    Image.fromarray(np.zeros((side, side, 3), np.uint8)).save(
        target, "TIFF", compression="tiff_lzw"
    )
    return target.getvalue()

"""Records of the captures topic that can never become sightings, one for each reason."""

import io
import struct
import zipfile
import zlib

from shared.messages import (
    Animal,
    BlobReference,
    Box,
    Capture,
    Embedding,
    Place,
    Sighting,
)
from tests.support.samples.pictures import encoded, photograph, scene

DEFAULT_MAX_IMAGE_BYTES = 32 * 1024 * 1024
DEFAULT_MAX_ANIMALS = 64

Sample = tuple[str, bytes | None, dict[str, bytes]]


class BadName(str):
    """A header's name that kafka-python sends as bytes that are no UTF-8."""

    def encode(self, encoding: str = "", errors: str = "") -> bytes:  # noqa: ARG002
        return b"caf\xe9"


def samples() -> list[Sample]:
    """Return (kind, value, headers) of each; `kind` is the Poison's.

    The references name objects that no store holds, except where the kind is
    of the reference itself.
    """
    return [*_values(), *_images(), *_headers(), *_messages(), *_references()]


def _values() -> list[Sample]:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as target:
        target.writestr("IMG_0001.JPG", photograph())
    sighting = Sighting(
        sighting_id="ab" * 32,
        capture_id="cd" * 32,
        image_sha256="ef" * 32,
        embedding=Embedding(values=bytes(2048)),
    )
    return [
        ("empty-value", None, {}),
        ("empty-value", b"", {"deployment": b"cam-1"}),
        ("unsupported-format", archive.getvalue(), {}),
        ("not-a-capture", sighting.SerializeToString(), {}),
        ("not-a-capture", b"plain text that somebody piped in", {}),
        ("not-a-capture", bytes(range(256)), {"content-type": b"application/x-protobuf"}),
        ("no-image", Capture(deployment="cam-1", species="zebra").SerializeToString(), {}),
    ]


def _images() -> list[Sample]:
    jpeg = {"content-type": b"image/jpeg"}
    whole = photograph()
    return [
        ("truncated-image", whole[: len(whole) // 2], jpeg),
        ("corrupt-image", b"\xff\xd8\xff\xe0" + b"\0" * 200, jpeg),
        ("too-many-pixels", _png_header(60_000, 60_000), {"content-type": b"image/png"}),
        ("too-many-bytes", whole + bytes(DEFAULT_MAX_IMAGE_BYTES), jpeg),
        ("unsupported-format", encoded(scene(), "GIF"), {"content-type": b"image/gif"}),
        ("unsupported-format", encoded(scene(), "BMP"), {"content-type": b"image/bmp"}),
        ("unsupported-format", b"no picture at all", jpeg),
        ("unsupported-pixels", encoded(scene(), "TIFF", "F"), {"content-type": b"image/tiff"}),
    ]


def _headers() -> list[Sample]:
    broken = {
        "latitude": b"twelve",
        "captured-at": b"31.05.2026 17:04",
        "box": b"0.1,0.2,0.3",
        "species": b"\xff\xfe",
        "content-type": b"application/zip",
    }
    found: list[Sample] = [
        ("bad-header", photograph(), {name: value}) for name, value in broken.items()
    ]
    return [
        *found,
        ("bad-header", photograph(), {"latitude": b"-1.5"}),
        ("bad-place", photograph(), {"latitude": b"nan", "longitude": b"36.8"}),
        ("bad-place", photograph(), {"latitude": b"91", "longitude": b"36.8"}),
        ("box-outside-image", photograph(), {"box": b"0.8,0.1,0.5,0.5"}),
        ("bad-box", photograph(), {"box": b"0.1,0.1,0.2,0.2;nan,0,1,1"}),
    ]


def _messages() -> list[Sample]:
    image = photograph()
    strange = Capture(inline=image)
    strange.captured_at.seconds = 2**60
    crowd = [
        Animal(box=Box(x=i / 100, y=0, width=0.01, height=0.5))
        for i in range(DEFAULT_MAX_ANIMALS + 1)
    ]
    found = [
        ("bad-box", _boxed(image, 0.1, 0.1, 0.0, 0.5)),
        ("bad-box", _boxed(image, 0.5, 0.5, -0.2, 0.5)),
        ("bad-box", _boxed(image, float("inf"), 0.1, 0.5, 0.5)),
        ("box-outside-image", _boxed(image, 120, 80, 400, 300)),
        ("bad-place", Capture(inline=image, place=Place(latitude=float("nan"), longitude=0))),
        ("bad-time", strange),
        ("too-many-animals", Capture(inline=image, animals=crowd)),
        ("empty-image", Capture(inline=b"")),
    ]
    return [(kind, capture.SerializeToString(), {}) for kind, capture in found]


def _references() -> list[Sample]:
    digest = "ab" * 32
    found = [
        ("missing-blob", BlobReference(key="cam-1/IMG_0001.JPG", sha256=digest, size=1000)),
        ("bad-reference", BlobReference(key="../../etc/passwd", sha256=digest, size=1000)),
        ("bad-reference", BlobReference(key="file:///etc/passwd", sha256=digest, size=1000)),
        ("bad-reference", BlobReference(key="a/b.jpg", sha256="ab", size=1000)),
        ("too-many-bytes", BlobReference(key="a/b.jpg", sha256=digest, size=2**40)),
    ]
    return [(kind, Capture(reference=ref).SerializeToString(), {}) for kind, ref in found]


def _boxed(image: bytes, x: float, y: float, width: float, height: float) -> Capture:
    return Capture(inline=image, animals=[Animal(box=Box(x=x, y=y, width=width, height=height))])


def _png_header(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for chunk in (header, b"IDAT" + zlib.compress(bytes(1000)), b"IEND")
    )

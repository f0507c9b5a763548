"""Hostile and faulty records, which the soak mixes with good ones.

One of each kind. Expected outcome: a decision for each animal in it, or one dead letter.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from shared.messages import Animal, Box, Capture, Place
from tests.support.samples import poison
from tests.support.samples.hostile_pictures import flat_tiff, grey16_png, many_scans, rgba_png
from tests.support.samples.pictures import encoded, photograph, scene

Headers = list[tuple[str, bytes]]


@dataclass(frozen=True)
class Hostile:
    """One record. `timestamp_ms` None: now. `codec`: compression of its batch."""

    kind: str
    value: bytes | None
    headers: Headers = field(default_factory=list)
    key: bytes | None = b"hostile"
    timestamp_ms: int | None = None
    codec: str = ""
    # Only clients that accept bytes as header names can send it.
    bad_header_name: bool = False


def records() -> list[Hostile]:
    """Return one of each kind."""
    return [*_poison(), *_pictures(), *_records(), *_texts(), *_boxes()]


def _poison() -> Iterator[Hostile]:
    for number, (kind, value, headers) in enumerate(poison.samples()):
        yield Hostile(f"{kind} {number}", value, list(headers.items()))


def _pictures() -> Iterator[Hostile]:
    jpeg = photograph(640, 480)
    exif = Image.Exif()
    exif[0x010E] = "x" * 60_000
    made = {
        "jpeg of 2,000 scans": many_scans(2000),
        "png of 16 bits and 100 megapixels": grey16_png(10_000),
        "png of 100 megapixels with transparency": rgba_png(10_000),
        "tiff of 25 megapixels": flat_tiff(5000),
        "jpeg without its last bytes": jpeg[:-9],
        "jpeg with trailing garbage": jpeg + bytes(100_000),
        "jpeg cut in the header": jpeg[:300],
        "jpeg of noise": encoded(_noise(), "JPEG"),
        "jpeg in CMYK": encoded(scene(), "JPEG", "CMYK"),
        "jpeg with 60 kB of EXIF": photograph(exif=exif),
        "black frame": encoded(np.zeros((240, 320, 3), np.uint8)),
        "white frame": encoded(np.full((240, 320, 3), 255, np.uint8)),
        "one pixel": encoded(np.full((1, 1, 3), 90, np.uint8)),
        "a strip of 4,000 by 4": encoded(scene(4000, 4)),
        "palette with transparency": _palette(),
        "animated webp": _animated(),
    }
    yield from (Hostile(kind, value) for kind, value in made.items())


def _records() -> Iterator[Hostile]:
    good = photograph(seed=77)
    yield Hostile("time in microseconds", good, timestamp_ms=1_780_000_000_000_000)
    yield Hostile("time in nanoseconds", good + b"1", timestamp_ms=1_780_000_000_000_000_000)
    yield Hostile("attempt of 5,000 digits", b"no picture", [("resight-attempt", b"9" * 5000)])
    yield Hostile("header name that is not text", good + b"2", bad_header_name=True)
    yield Hostile("key that is not text", good + b"3", key=b"\0\xff\0\x2a")
    yield Hostile("key of 100 kB", good + b"4", key=b"k" * 100_000)
    yield Hostile("same header 500 times", good + b"5", [("species", b"lion")] * 500)
    yield Hostile("batch that unpacks to 300 MB", bytes(300 * 1024 * 1024), codec="zstd")
    yield Hostile("value of 40 MB", bytes(40_000_000))
    yield Hostile("good picture in snappy", good + b"6", codec="snappy")
    yield Hostile("good picture in lz4", good + b"7", codec="lz4")
    yield Hostile("good picture in gzip", good + b"8", codec="gzip")
    yield Hostile("neither key nor header", good + b"9", key=None)


def _texts() -> Iterator[Hostile]:
    for number, (kind, name, text) in enumerate(
        (
            ("species of 10,000 letters", "species", "x" * 10_000),
            ("escape codes in a deployment", "deployment", "gate\x1b[2J\x07"),
            ("line feed in a sequence", "sequence", "one\nforged"),
            ("emoji for a species", "species", "🦁"),
            ("species from right to left", "species", "شير"),
            ("population with a path", "population", "../../etc"),
            ("braces of a hash tag", "population", "a{b}c"),
            ("capture ID shared with others", "capture_id", "IMG_0001"),
        )
    ):
        capture = Capture(inline=photograph(seed=500 + number), deployment="hostile")
        setattr(capture, name, text)
        yield Hostile(kind, capture.SerializeToString())
    forged = Capture(inline=photograph(seed=600), identified_by="ada", deployment="hostile")
    forged.animals.add(identity="Nala")
    yield Hostile("label without a signature", forged.SerializeToString())


def _boxes() -> Iterator[Hostile]:
    image = photograph(seed=900)
    crowd = [Animal(box=Box(x=i / 64, y=0, width=1 / 64, height=1)) for i in range(64)]
    yield Hostile(
        "4 million empty animals", Capture(inline=image).SerializeToString() + b"\x52\0" * 4_000_000
    )
    yield Hostile("64 animals", Capture(inline=image, animals=crowd).SerializeToString())
    thin = [Animal(box=Box(x=0, y=0, width=1e-6, height=1e-6))]
    yield Hostile(
        "a box thinner than a pixel", Capture(inline=image, animals=thin).SerializeToString()
    )
    twice = [Animal(box=Box(x=0, y=0, width=0.5, height=0.5))] * 2
    yield Hostile("the same box twice", Capture(inline=image, animals=twice).SerializeToString())
    yield Hostile("a million boxes in a header", image, [("box", b"0,0,1,1;" * 1_000_000)])
    yield Hostile(
        "a place with a decimal comma", image + b"1", [("latitude", b"1,5"), ("longitude", b"36")]
    )
    nowhere = Capture(inline=image, place=Place(latitude=1e308, longitude=-1e308))
    yield Hostile("a place beyond the earth", nowhere.SerializeToString())
    yield Hostile(
        "fields of a later version",
        Capture(inline=image + b"2").SerializeToString() + b"\xfa\x3e\x03abc",
    )


def _noise() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)


def _palette() -> bytes:
    target = io.BytesIO()
    Image.fromarray(scene()).quantize(64).save(target, "PNG", transparency=0)
    return target.getvalue()


def _animated() -> bytes:
    target = io.BytesIO()
    frames = [Image.fromarray(scene(seed=seed)) for seed in range(5)]
    frames[0].save(target, "WEBP", save_all=True, append_images=frames[1:])
    return target.getvalue()

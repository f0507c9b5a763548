"""From the bytes of a picture to its animals' crops, and what a segmenter is to see of each.

This is all that happens to bytes that anybody may have sent. It runs in a worker of its own,
see `decode_workers`, with limits on time and memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from google.protobuf.timestamp_pb2 import Timestamp

from services.embedder.decoding import exif
from services.embedder.encoders.preparation import Preparation
from shared.foreground.view import View
from shared.images import codec
from shared.messages import Box, Place

# Thinner than this, nothing in an animal's coat can be told from anything else.
LEAST_SIDE = 24


@dataclass(frozen=True)
class Limits:
    """What a picture may be. `salvage`: one that lacks its last rows is taken all the same."""

    max_bytes: int = codec.MAX_BYTES
    max_pixels: int = codec.MAX_PIXELS
    salvage: bool = False


@dataclass(frozen=True, eq=False)
class Cuts:
    """What a picture of N boxes gives.

    crops: JPEGs, as they are stored
    views: each with its surroundings, for a segmenter
    sides: of each cut its shorter side, in pixels of the picture
    captured_at, place: from EXIF
    truncated: whether the end of the picture is missing
    """

    crops: tuple[bytes, ...]
    views: tuple[View, ...]
    sides: tuple[int, ...]
    captured_at: Timestamp | None
    place: Place | None
    truncated: bool


def cut(data: bytes, boxes: Sequence[Box], preparation: Preparation, limits: Limits) -> Cuts:
    """Decode a picture and cut out its boxes, fractions of it as displayed; at least one.

    Raises:
        Poison: of the kinds of `shared.images.codec`.
    """
    picture = codec.open_picture(data, max_bytes=limits.max_bytes, max_pixels=limits.max_pixels)
    side = preparation.side_to_decode(picture.width, picture.height, boxes)
    pixels, truncated = picture.salvaged(side) if limits.salvage else (picture.pixels(side), False)
    crops = tuple(preparation.crop(pixels, box) for box in boxes)
    return Cuts(
        crops=crops,
        views=tuple(View.around(pixels, box) for box in boxes),
        sides=tuple(
            round(min(box.width * picture.width, box.height * picture.height)) for box in boxes
        ),
        captured_at=exif.captured_at(picture.exif),
        place=exif.place(picture.exif),
        truncated=truncated,
    )


def too_thin(side: int) -> str:
    """Return why a crop can't be compared with any other; '' where it can."""
    if side >= LEAST_SIDE:
        return ""
    return f"the crop's shorter side has {side} pixels, and {LEAST_SIDE} are the least to compare"

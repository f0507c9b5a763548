"""Decodes a picture and cuts out its animals, with a view of each for the segmenter.

Pictures are untrusted, so this runs in a worker with limits on time and memory; see `worker_pool`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from google.protobuf.timestamp_pb2 import Timestamp

from services.embedder.decoding import exif
from services.embedder.encoders.preparation import Preparation
from shared.foreground.view import View
from shared.images import codec
from shared.messages import Box, Place

# A crop thinner than this shows too little of an animal to compare.
LEAST_SIDE = 24


@dataclass(frozen=True)
class Limits:
    """Limits of a picture. `salvage`: truncated pictures are accepted if they lack few rows."""

    max_bytes: int = codec.MAX_BYTES
    max_pixels: int = codec.MAX_PIXELS
    salvage: bool = False


@dataclass(frozen=True, eq=False)
class Cuts:
    """Result for a picture with N boxes.

    crops: JPEGs, as stored
    views: each with its surroundings, for a segmenter
    sides: the shorter side of each cut, in pixels of the picture
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
    """Decode a picture and cut out its boxes (at least one), in fractions of it as displayed.

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
    """Return why a crop is too thin to compare; '' if it is not."""
    if side >= LEAST_SIDE:
        return ""
    return (
        f"the crop's shorter side has {side} pixels; at least {LEAST_SIDE} are needed to compare it"
    )

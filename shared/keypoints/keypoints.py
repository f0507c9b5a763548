"""Keypoints of one crop, and their compact encoding in store and cache."""

import struct
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from crc32c import crc32c
from numpy.typing import NDArray

from shared.identifiers import WHOLE_PICTURE

FORMAT = 4
MAGIC = b"RKPT"
# magic, format, CRC-32C of the rest, width, height, keypoints, descriptor length, marked, window
HEADER = struct.Struct("<4sBIIIIIB4f")
# Positions are stored in steps of 1/32 pixel, scores in half precision, descriptors in 8 bits.
STEPS = 32
FINEST = 127
_CHECKED_FROM = struct.calcsize("<4sBI")


# Left, top, width and height of a part of a crop, as fractions of the crop.
Window = tuple[float, float, float, float]


class UnreadableKeypointsError(ValueError):
    """The bytes are not keypoints in this version's format."""


@dataclass(frozen=True, eq=False)
class Keypoints:
    """Keypoints of a picture of `width` x `height` pixels.

    positions: float32 [K, 2], x and y in pixels, inside the picture
    scores: float32 [K], on the detector's scale
    descriptors: int8 [K, D]; only directions matter, see `unit`
    animal: bool [K], not known as background; None: not marked, all count
    window: the part of the crop that is the picture, in values that float32 represents

    Raises:
        ValueError: shapes or types disagree, a value is not finite, or a keypoint is outside the
            picture, or the picture outside the crop.
    """

    positions: NDArray[np.float32]
    scores: NDArray[np.float32]
    descriptors: NDArray[np.int8]
    width: int
    height: int
    animal: NDArray[np.bool_] | None = None
    window: Window = WHOLE_PICTURE

    def __post_init__(self) -> None:
        count = len(self.positions)
        if self.positions.shape != (count, 2) or self.scores.shape != (count,):
            raise ValueError(
                f"positions {self.positions.shape} and scores {self.scores.shape} disagree"
            )
        if self.descriptors.ndim != 2 or len(self.descriptors) != count:
            raise ValueError(f"descriptors {self.descriptors.shape} for {count} keypoints")
        arrays = (self.positions, self.scores, self.descriptors)
        if [array.dtype.str for array in arrays] != ["<f4", "<f4", "|i1"]:
            raise ValueError(f"keypoints of types {[array.dtype.str for array in arrays]}")
        marks = self.animal
        if marks is not None and (marks.shape != (count,) or marks.dtype != np.bool_):
            raise ValueError(f"marks {marks.dtype} {marks.shape} for {count} keypoints")
        # For 100 candidates per query: few passes over the arrays.
        if not np.isfinite(self.scores).all():
            raise ValueError("keypoints hold values that are not finite")
        right, bottom = self.positions.max(axis=0, initial=0)
        inside = self.positions.min(initial=0) >= 0 and right <= self.width
        if not (inside and bottom <= self.height):  # also true for NaN
            raise ValueError(
                f"keypoints outside the picture of {self.width}x{self.height} pixels, or not finite"
            )
        if not (all(0 <= part <= 1 for part in self.window) and min(self.window[2:]) > 0):
            raise ValueError(f"a window of {self.window} of the crop")

    def __len__(self) -> int:
        return len(self.positions)

    def where(self, keep: NDArray[np.bool_] | NDArray[np.intp]) -> "Keypoints":
        """Return those selected by `keep`: bool [K], or indices in their order."""
        return replace(
            self,
            positions=self.positions[keep],
            scores=self.scores[keep],
            descriptors=self.descriptors[keep],
            animal=None if self.animal is None else self.animal[keep],
        )

    def best(self, count: int) -> "Keypoints":
        """Return the `count` with the highest scores, best first."""
        return self.where(np.argsort(-self.scores, kind="stable")[:count])

    def unit(self) -> NDArray[np.float32]:
        """Return the descriptors as float32 [K, D], L2-normalised."""
        return unit(self.descriptors)

    def centred(self) -> NDArray[np.float32]:
        """Return positions from the picture's centre, in halves of its larger side, [K, 2]."""
        size = np.array([self.width, self.height], np.float32)
        return np.asarray((self.positions - size / 2) / (size.max() / 2))

    def in_crop(self) -> NDArray[np.float64]:
        """Return positions in the whole crop, x and y as fractions, [K, 2]."""
        left, top, width, height = self.window
        part = self.positions / np.array([self.width, self.height], dtype=np.float64)
        return np.asarray(np.array([left, top]) + part * np.array([width, height]))

    def marked(self, animal: NDArray[np.bool_]) -> "Keypoints":
        """Return them with the marks `animal`, bool [K]."""
        return replace(self, animal=animal)

    def foreground(self) -> "Keypoints":
        """Return those that are not known as background."""
        return self if self.animal is None else self.where(self.animal)


def unit(descriptors: NDArray[np.int8]) -> NDArray[np.float32]:
    """Return descriptors [..., D] L2-normalised; zeros stay zeros."""
    wide = descriptors.astype(np.float32)
    length = np.sqrt(np.einsum("...d,...d->...", wide, wide))
    wide *= (1 / np.maximum(length, 1))[..., None]
    return wide


def sound(
    positions: NDArray[np.float32],
    scores: NDArray[np.float32],
    descriptors: NDArray[np.float32],
    *,
    width: int,
    height: int,
    least_score: float = 0.0,
) -> Keypoints:
    """Return a network's output without weak, non-finite and outside keypoints.

    It is quantised as when stored, so that stored and fresh keypoints give the same evidence;
    cosines of descriptors change by .004 at most.
    """
    edge = np.array([width, height], dtype=np.float32)
    keep = np.isfinite(positions).all(axis=1) & np.isfinite(scores) & (scores >= least_score)
    keep &= np.isfinite(descriptors).all(axis=1)
    keep &= ((positions >= 0) & (positions <= edge)).all(axis=1)
    largest = np.abs(descriptors[keep]).max(axis=1, keepdims=True, initial=0)
    scaled = descriptors[keep] * (FINEST / np.where(largest > 0, largest, 1))
    return Keypoints(
        (np.round(positions[keep] * STEPS) / STEPS).astype(np.float32),
        scores[keep].astype(np.float16).astype(np.float32),
        np.round(scaled).astype(np.int8),
        width,
        height,
    )


def none_in(width: int, height: int, descriptor_length: int) -> Keypoints:
    """Return empty keypoints."""
    return Keypoints(
        np.zeros((0, 2), np.float32),
        np.zeros(0, np.float32),
        np.zeros((0, descriptor_length), np.int8),
        width,
        height,
    )


def encode(keypoints: Keypoints) -> bytes:
    """Return keypoints as bytes, little endian; 256 of 128 dimensions take 34 kB.

    Raises:
        ValueError: the picture is too large for the encoding of positions.
    """
    if max(keypoints.width, keypoints.height) * STEPS > np.iinfo(np.uint16).max + 1:
        raise ValueError(f"a picture of {keypoints.width}x{keypoints.height} pixels is too large")
    count, length = keypoints.descriptors.shape
    marks = b"" if keypoints.animal is None else keypoints.animal.tobytes()
    marked = keypoints.animal is not None
    sizes = (keypoints.width, keypoints.height, count, length, marked, *keypoints.window)
    body = (
        np.minimum(keypoints.positions * STEPS, np.iinfo(np.uint16).max).astype("<u2").tobytes()
        + keypoints.scores.astype("<f2").tobytes()
        + keypoints.descriptors.tobytes()
        + marks
    )
    checksum = crc32c(HEADER.pack(MAGIC, FORMAT, 0, *sizes)[_CHECKED_FROM:] + body)
    return HEADER.pack(MAGIC, FORMAT, checksum, *sizes) + body


def decode(content: bytes) -> Keypoints:
    """Return the keypoints that `encode` wrote.

    Raises:
        UnreadableKeypointsError: foreign, of another format, damaged, or impossible.
    """
    if len(content) < HEADER.size:
        raise UnreadableKeypointsError(f"{len(content)} bytes are too few for keypoints")
    magic, version, checksum, width, height, count, length, marked, *window = HEADER.unpack_from(
        content
    )
    if magic != MAGIC or version != FORMAT:
        raise UnreadableKeypointsError(f"keypoints of format {magic!r} {version}, not {FORMAT}")
    if crc32c(content[_CHECKED_FROM:]) != checksum:
        raise UnreadableKeypointsError("the keypoints' checksum is wrong")
    expected = HEADER.size + count * (6 + length + (marked != 0))
    if len(content) != expected:
        raise UnreadableKeypointsError(f"keypoints of {len(content)} bytes instead of {expected}")
    scores_at = HEADER.size + 4 * count
    descriptors_at = scores_at + 2 * count
    steps = np.frombuffer(content, "<u2", 2 * count, HEADER.size).reshape(count, 2)
    positions = steps.astype(np.float32) / np.float32(STEPS)
    scores = np.frombuffer(content, "<f2", count, scores_at).astype(np.float32)
    descriptors = np.frombuffer(content, np.int8, count * length, descriptors_at)
    descriptors = descriptors.reshape(count, length)
    marks = np.frombuffer(content, np.uint8, count, len(content) - count) != 0 if marked else None
    try:
        return Keypoints(
            positions, scores, descriptors, width, height, marks, cast("Window", tuple(window))
        )
    except ValueError as error:
        raise UnreadableKeypointsError(str(error)) from error

"""Keypoints of one crop, and their compact form in the cache."""

import struct
import zlib
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

FORMAT = 3
MAGIC = b"RKPT"
# magic, format, CRC-32 of all that follows it, width, height, keypoints, descriptor length, marked,
# window
HEADER = struct.Struct("<4sBIIIIIB4f")
_CHECKED_FROM = struct.calcsize("<4sBI")


# Left, top, width and height of a part of a crop, as fractions of the crop.
Window = tuple[float, float, float, float]
WHOLE: Window = (0.0, 0.0, 1.0, 1.0)


class UnreadableKeypointsError(ValueError):
    """Bytes that are not keypoints in the format of this version."""


@dataclass(frozen=True, eq=False)
class Keypoints:
    """What an extractor saw in a picture of `width` x `height` pixels.

    positions: float32 [K, 2], x and y in pixels, inside the picture
    scores: float32 [K], the detector's own scale
    descriptors: float16 [K, D], L2-normalised
    animal: bool [K], which of them count, since they are not known as background; None: no
        mark was made, and all count
    window: the part of the crop that is the picture, in numbers that float32 holds

    Raises:
        ValueError: shapes or types disagree, a value is not finite, or a
            keypoint lies outside the picture, or the picture outside the crop.
    """

    positions: NDArray[np.float32]
    scores: NDArray[np.float32]
    descriptors: NDArray[np.float16]
    width: int
    height: int
    animal: NDArray[np.bool_] | None = None
    window: Window = WHOLE

    def __post_init__(self) -> None:
        count = len(self.positions)
        if self.positions.shape != (count, 2) or self.scores.shape != (count,):
            raise ValueError(
                f"positions {self.positions.shape} and scores {self.scores.shape} do not agree"
            )
        if self.descriptors.ndim != 2 or len(self.descriptors) != count:
            raise ValueError(f"descriptors {self.descriptors.shape} for {count} keypoints")
        arrays = (self.positions, self.scores, self.descriptors)
        if [array.dtype.str for array in arrays] != ["<f4", "<f4", "<f2"]:
            raise ValueError(f"keypoints of types {[array.dtype.str for array in arrays]}")
        marks = self.animal
        if marks is not None and (marks.shape != (count,) or marks.dtype != np.bool_):
            raise ValueError(f"marks {marks.dtype} {marks.shape} for {count} keypoints")
        if not all(np.isfinite(array).all() for array in arrays):
            raise ValueError("keypoints hold values that are not finite")
        edge = np.array([self.width, self.height], dtype=np.float32)
        if (self.positions < 0).any() or (self.positions > edge).any():
            raise ValueError(f"keypoints outside the picture of {self.width}x{self.height} pixels")
        if not (all(0 <= part <= 1 for part in self.window) and min(self.window[2:]) > 0):
            raise ValueError(f"a window of {self.window} of the crop")

    def __len__(self) -> int:
        return len(self.positions)

    def where(self, keep: NDArray[np.bool_]) -> "Keypoints":
        """Return those that `keep`, bool [K], names."""
        return replace(
            self,
            positions=self.positions[keep],
            scores=self.scores[keep],
            descriptors=self.descriptors[keep],
            animal=None if self.animal is None else self.animal[keep],
        )

    def in_crop(self) -> NDArray[np.float64]:
        """Return where they lie in the whole crop, x and y as fractions of it, [K, 2]."""
        left, top, width, height = self.window
        part = self.positions / np.array([self.width, self.height], dtype=np.float64)
        return np.asarray(np.array([left, top]) + part * np.array([width, height]))

    def marked(self, animal: NDArray[np.bool_]) -> "Keypoints":
        """Return them with the marks `animal`, bool [K]."""
        return replace(self, animal=animal)

    def that_count(self) -> "Keypoints":
        """Return those that are not known as background."""
        return self if self.animal is None else self.where(self.animal)


def sound(
    positions: NDArray[np.float32],
    scores: NDArray[np.float32],
    descriptors: NDArray[np.float32],
    *,
    width: int,
    height: int,
    least_score: float = 0.0,
) -> Keypoints:
    """Return a network's output without what is weak, not finite or outside the picture."""
    edge = np.array([width, height], dtype=np.float32)
    keep = np.isfinite(positions).all(axis=1) & np.isfinite(scores) & (scores >= least_score)
    keep &= np.isfinite(descriptors).all(axis=1)
    keep &= ((positions >= 0) & (positions <= edge)).all(axis=1)
    return Keypoints(
        positions[keep].astype(np.float32),
        scores[keep].astype(np.float32),
        descriptors[keep].astype(np.float16),
        width,
        height,
    )


def none_in(width: int, height: int, descriptor_length: int) -> Keypoints:
    """Return the keypoints of a picture that shows none."""
    return Keypoints(
        np.zeros((0, 2), np.float32),
        np.zeros(0, np.float32),
        np.zeros((0, descriptor_length), np.float16),
        width,
        height,
    )


def encode(keypoints: Keypoints) -> bytes:
    """Return keypoints as bytes, little endian; 256 of 128 dimensions take 68 kB."""
    count, length = keypoints.descriptors.shape
    marks = b"" if keypoints.animal is None else keypoints.animal.tobytes()
    marked = keypoints.animal is not None
    sizes = (keypoints.width, keypoints.height, count, length, marked, *keypoints.window)
    body = (
        keypoints.positions.astype("<f4").tobytes()
        + keypoints.scores.astype("<f4").tobytes()
        + keypoints.descriptors.astype("<f2").tobytes()
        + marks
    )
    checksum = zlib.crc32(HEADER.pack(MAGIC, FORMAT, 0, *sizes)[_CHECKED_FROM:] + body)
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
    if zlib.crc32(content[_CHECKED_FROM:]) != checksum:
        raise UnreadableKeypointsError("the keypoints' checksum is wrong")
    expected = HEADER.size + count * (12 + 2 * length + (marked != 0))
    if len(content) != expected:
        raise UnreadableKeypointsError(f"keypoints of {len(content)} bytes instead of {expected}")
    scores_at = HEADER.size + 8 * count
    descriptors_at = scores_at + 4 * count
    positions = np.frombuffer(content, "<f4", 2 * count, HEADER.size).reshape(count, 2)
    scores = np.frombuffer(content, "<f4", count, scores_at)
    descriptors = np.frombuffer(content, "<f2", count * length, descriptors_at)
    descriptors = descriptors.reshape(count, length)
    marks = np.frombuffer(content, np.uint8, count, len(content) - count) != 0 if marked else None
    try:
        return Keypoints(
            positions, scores, descriptors, width, height, marks, cast("Window", tuple(window))
        )
    except ValueError as error:
        raise UnreadableKeypointsError(str(error)) from error

"""Keypoints of one crop, and their compact form in the cache."""

import struct
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FORMAT = 1
MAGIC = b"RKPT"
# magic, format, CRC-32 of all that follows it, width, height, keypoints, descriptor length
HEADER = struct.Struct("<4sBIIIII")
_CHECKED_FROM = struct.calcsize("<4sBI")


class UnreadableKeypointsError(ValueError):
    """Bytes that are not keypoints in the format of this version."""


@dataclass(frozen=True, eq=False)
class Keypoints:
    """What an extractor saw in a picture of `width` x `height` pixels.

    positions: float32 [K, 2], x and y in pixels, inside the picture
    scores: float32 [K], the detector's own scale
    descriptors: float16 [K, D], L2-normalised

    Raises:
        ValueError: shapes or types disagree, a value is not finite, or a
            keypoint lies outside the picture.
    """

    positions: NDArray[np.float32]
    scores: NDArray[np.float32]
    descriptors: NDArray[np.float16]
    width: int
    height: int

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
        if not all(np.isfinite(array).all() for array in arrays):
            raise ValueError("keypoints hold values that are not finite")
        edge = np.array([self.width, self.height], dtype=np.float32)
        if (self.positions < 0).any() or (self.positions > edge).any():
            raise ValueError(f"keypoints outside the picture of {self.width}x{self.height} pixels")

    def __len__(self) -> int:
        return len(self.positions)


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
    body = (
        keypoints.positions.astype("<f4").tobytes()
        + keypoints.scores.astype("<f4").tobytes()
        + keypoints.descriptors.astype("<f2").tobytes()
    )
    blank = HEADER.pack(MAGIC, FORMAT, 0, keypoints.width, keypoints.height, count, length)
    checksum = zlib.crc32(blank[_CHECKED_FROM:] + body)
    return (
        HEADER.pack(MAGIC, FORMAT, checksum, keypoints.width, keypoints.height, count, length)
        + body
    )


def decode(content: bytes) -> Keypoints:
    """Return the keypoints that `encode` wrote.

    Raises:
        UnreadableKeypointsError: foreign, of another format, damaged, or impossible.
    """
    if len(content) < HEADER.size:
        raise UnreadableKeypointsError(f"{len(content)} bytes are too few for keypoints")
    magic, version, checksum, width, height, count, length = HEADER.unpack_from(content)
    if magic != MAGIC or version != FORMAT:
        raise UnreadableKeypointsError(f"keypoints of format {magic!r} {version}, not {FORMAT}")
    if zlib.crc32(content[_CHECKED_FROM:]) != checksum:
        raise UnreadableKeypointsError("the keypoints' checksum is wrong")
    expected = HEADER.size + count * (12 + 2 * length)
    if len(content) != expected:
        raise UnreadableKeypointsError(f"keypoints of {len(content)} bytes instead of {expected}")
    scores_at = HEADER.size + 8 * count
    descriptors_at = scores_at + 4 * count
    positions = np.frombuffer(content, "<f4", 2 * count, HEADER.size).reshape(count, 2)
    scores = np.frombuffer(content, "<f4", count, scores_at)
    descriptors = np.frombuffer(content, "<f2", count * length, descriptors_at)
    try:
        return Keypoints(positions, scores, descriptors.reshape(count, length), width, height)
    except ValueError as error:
        raise UnreadableKeypointsError(str(error)) from error

"""Learns what a fixed camera always sees: keypoints that stay in place while animals change.

A keypoint is background when similar keypoints were at the same place on other occasions. One
occasion is not enough, whatever its length: an animal that lies still through a burst, or returns
to the trigger repeatedly, stays an animal. Infrared pictures look so different that night and day
are learnt separately.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Tolerance in position between two frames, in fractions of the frame: boxes are cut at whole
# pixels, and a camera on a tree moves slightly.
TOLERANCE = 0.02
# The default floor of neighbours: more similar keypoints count as evidence. Different things at one
# place have a median cosine of 0.2; one in ten reaches 0.5.
LEAST_COSINE = 0.7
OCCASIONS = 2
# Pictures closer in time may show the same resting animal.
APART_SECONDS = 3600.0
# Names these parameters, and thereby the cache entries of marked keypoints.
FINGERPRINT = f"background1-{TOLERANCE:g}-{LEAST_COSINE:g}-{OCCASIONS}-{APART_SECONDS:g}s"


@dataclass(frozen=True, eq=False)
class Frame:
    """The keypoints of one sighting, in the camera's frame.

    positions: float32 [K, 2], x and y as fractions of the whole picture
    descriptors: float32 [K, D], L2-normalised
    sequence: its burst; '' if unknown
    taken: seconds since 1970; None if unknown
    """

    positions: NDArray[np.float32]
    descriptors: NDArray[np.float32]
    sequence: str
    taken: float | None


def animal(frame: Frame, memory: Sequence[Frame]) -> NDArray[np.bool_]:
    """Return which keypoints of a frame are not known background, bool [K].

    `memory` holds earlier frames of the same camera. Frames that are or may be of the same occasion
    are ignored.
    """
    seen = np.zeros(len(frame.positions), dtype=np.intp)
    for occasion in _occasions([past for past in memory if not _together(frame, past)]):
        seen += np.any([_present(frame, past) for past in occasion], axis=0)
    return np.asarray(seen < OCCASIONS)


def _occasions(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Return frames in groups, each of which may show one visit of one animal."""
    occasions: list[list[Frame]] = []
    for frame in frames:
        near = [group for group in occasions if any(_together(frame, one) for one in group)]
        occasions = [group for group in occasions if group not in near]
        occasions.append([frame, *(one for group in near for one in group)])
    return occasions


def _together(one: Frame, other: Frame) -> bool:
    if one.sequence and one.sequence == other.sequence:
        return True
    if one.taken is None or other.taken is None:
        return not (one.sequence and other.sequence)
    return abs(one.taken - other.taken) < APART_SECONDS


def _present(frame: Frame, past: Frame) -> NDArray[np.bool_]:
    """Return which keypoints of a frame were in place in an earlier one, bool [K]."""
    # Few keypoints are near each other, so positions are compared before descriptors.
    x, y = (
        np.abs(np.subtract.outer(frame.positions[:, axis], past.positions[:, axis]))
        for axis in (0, 1)
    )
    mine, theirs = np.nonzero((x < TOLERANCE) & (y < TOLERANCE))
    cosines = np.einsum(
        "kd,kd->k",
        frame.descriptors[mine],
        past.descriptors[theirs],
    )
    present = np.zeros(len(frame.positions), dtype=np.bool_)
    present[mine[cosines >= LEAST_COSINE]] = True
    return present

"""What a still camera always sees: keypoints that stay in place while animals change.

A frame's keypoint is background when keypoints like it were at the same place on
other occasions. One occasion is not enough, whatever its length: an animal that lies still
through a burst, or comes back to the trigger again and again, stays an animal.
Infrared pictures look so different that night and day learn each for itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# How far apart the same thing may be in two frames, of the frame's width and height: boxes
# are cut at whole pixels, and a camera on a tree moves a little.
TOLERANCE = 0.02
# The default floor of neighbours: what is as alike as this would count as evidence. Two
# keypoints at one place that are not the same thing have 0.2, and one in ten 0.5.
LEAST_COSINE = 0.7
OCCASIONS = 2
# Pictures nearer in time may show the same animal lying where it lay.
APART_SECONDS = 3600.0
# Names all of the above; goes into the name under which marked keypoints are kept.
FINGERPRINT = f"background1-{TOLERANCE:g}-{LEAST_COSINE:g}-{OCCASIONS}-{APART_SECONDS:g}s"


@dataclass(frozen=True, eq=False)
class Frame:
    """The keypoints of one sighting, where its camera saw them.

    positions: float32 [K, 2], x and y as fractions of the whole picture
    descriptors: float32 [K, D], L2-normalised
    sequence: the burst that it is of; '' where unknown
    taken: seconds since 1970; None where unknown
    """

    positions: NDArray[np.float32]
    descriptors: NDArray[np.float32]
    sequence: str
    taken: float | None


def animal(frame: Frame, memory: Sequence[Frame]) -> NDArray[np.bool_]:
    """Return which keypoints of a frame are not known as background, bool [K].

    `memory` holds earlier frames of the same camera. Frames of the frame's own
    occasion, or of one that can't be told from it, don't count.
    """
    seen = np.zeros(len(frame.positions), dtype=np.intp)
    for occasion in _occasions([past for past in memory if not _together(frame, past)]):
        seen += np.any([_present(frame, past) for past in occasion], axis=0)
    return np.asarray(seen < OCCASIONS)


def _occasions(frames: Sequence[Frame]) -> list[list[Frame]]:
    """Return frames in groups that may each show one visit of one animal."""
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
    # Few are near each other, so places are compared first and descriptors only then.
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

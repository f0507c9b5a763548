"""The watermark: the number up to which all enrolments of a gallery are searchable.

Enrolments may be redelivered and, from several registries, arrive out of order. So the watermark
advances only over a run without gaps; entries beyond a gap are read from the gallery, where any
replica finds them after a restart or rebalance.
"""

from collections.abc import Callable, Set

# Numbers are read in windows of this size, so that one missing enrolment followed by a hundred
# thousand does not cost reading all of them in every batch.
WINDOW = 1024


def contiguous(watermark: int, numbers: Set[int]) -> int:
    """Return the last number of the gapless run that begins after `watermark`."""
    while watermark + 1 in numbers:
        watermark += 1
    return watermark


def advance(watermark: int, numbers: Callable[[int, int], Set[int]]) -> int:
    """Return the new watermark, given what a gallery holds.

    `numbers(above, up_to)` returns the numbers present in that range, excluding the first bound and
    including the second.
    """
    while True:
        edge = watermark + WINDOW
        watermark = contiguous(watermark, numbers(watermark, edge))
        if watermark < edge:
            return watermark

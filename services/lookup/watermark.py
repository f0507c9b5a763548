"""The watermark: the number up to which all enrolments of a gallery are searchable.

Enrolments may come again and, from several registries, out of order. So the
watermark only moves over a run without gaps, and what lies beyond a gap is not
remembered here but read from the gallery, where any replica finds it after a
restart or a rebalance.
"""

from collections.abc import Callable, Set

# Numbers are asked for in windows of this size, so that one missing enrolment
# with a hundred thousand after it does not cost a hundred thousand numbers a batch.
WINDOW = 1024


def contiguous(watermark: int, numbers: Set[int]) -> int:
    """Return the last number of the run without gaps that begins after `watermark`."""
    while watermark + 1 in numbers:
        watermark += 1
    return watermark


def advance(watermark: int, numbers: Callable[[int, int], Set[int]]) -> int:
    """Return how far the watermark moves, given what a gallery holds.

    `numbers(above, up_to)` returns the numbers held in that range, the first
    bound excluded, the second included.
    """
    while True:
        edge = watermark + WINDOW
        watermark = contiguous(watermark, numbers(watermark, edge))
        if watermark < edge:
            return watermark

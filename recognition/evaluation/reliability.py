"""Reliability of probabilities: of the answers at 70 %, are 70 % right?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 10


@dataclass(frozen=True)
class Bin:
    """Answers of similar probability.

    claimed: their mean probability; kept: the share that was right
    """

    lowest: float
    highest: float
    claimed: float
    kept: float
    count: int


def bins(
    probabilities: NDArray[np.float64], right: NDArray[np.bool_], most: int = BINS
) -> list[Bin]:
    """Return up to `most` bins of about equally many answers [Q], by increasing probability.

    Equal mass, not equal width: most probabilities are near 0 or 1, and a bin with two answers says
        nothing (Nixon et al. 2019, arXiv:1904.01685). Equal probabilities share a bin, so there may
        be fewer. `right`: the first-ranked individual is the query's, which is never so for an
        unknown query. Outcomes, including "review", do not matter.

    Raises:
        ValueError: there are no answers, or the shapes disagree.
    """
    if not len(probabilities) or probabilities.shape != right.shape:
        raise ValueError(f"probabilities {probabilities.shape} for {right.shape} answers")
    starts = np.arange(most) * len(probabilities) // most
    edges = np.unique(np.sort(probabilities)[starts])
    place = np.searchsorted(edges, probabilities, side="right") - 1
    members = [place == number for number in range(len(edges))]
    return [
        Bin(
            lowest=float(probabilities[each].min()),
            highest=float(probabilities[each].max()),
            claimed=float(probabilities[each].mean()),
            kept=float(right[each].mean()),
            count=int(each.sum()),
        )
        for each in members
    ]


def calibration_error(found: Sequence[Bin]) -> float:
    """Return the expected calibration error: the bins' mean |claimed - kept|, by their counts.

    Naeini et al. 2015 (AAAI), with the equal-mass bins of `bins`.
    """
    total = sum(each.count for each in found)
    return sum(each.count * abs(each.claimed - each.kept) for each in found) / total

"""Log-odds that two sightings show one animal, for all pairs among the sightings in question.

Two steps. A logistic regression weighs each pair's features. Then its log-odds are set against
those of all that either sighting was compared with: nearly all of that are other animals, so a
curve that was fitted on species whose pictures tell more, or less, is stretched to this one
(score normalisation on both sides, S-norm, of speaker verification).
"""

from collections.abc import Mapping
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from services.registry.calibration.models import CalibrationModel, Linear
from services.registry.features.comparisons import COMPARED, Comparisons
from shared.robust import BELOW

# What the second step weighs: the log-odds of the first, and how many spreads they lie above the
# middle of all of them, of the list where they stand out less, and of the one where more.
STEPS = ("log_odds", "above_all", "above_stricter", "above_other")
LEAST_SPREAD, LEAST_IN_LIST = 0.25, 0.15
LOWEST, HIGHEST = -3.0, 10.0
# Of a list of so many, half is its own middle and spread and half that of all lists; one of fewer
# than `MIN_SCORES` has none of its own.
HALVED_AT = 10
MIN_SCORES = 5


class Steps(NamedTuple):
    """Pairs by the positions of their sightings, `left` [P] and `right` [P]; `rows` [P, 4]."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    rows: NDArray[np.float64]


class Affinity(CalibrationModel):
    """Both steps, as the calibration file keeps them."""

    pair: Linear
    against_lists: Linear

    @model_validator(mode="after")
    def _widths(self) -> Self:
        self.pair.of_width(len(COMPARED))
        self.against_lists.of_width(len(STEPS))
        return self

    def matrix(self, lists: Mapping[int, Comparisons]) -> NDArray[np.float64]:
        """Return log-odds [N, N] between the sightings of `lists`, in its order.

        Symmetric; NaN where two were not compared, and on the diagonal.
        """
        left, right, rows = steps(lists, self.pair)
        result = np.full((len(lists), len(lists)), np.nan)
        result[left, right] = result[right, left] = self.against_lists.log_odds(rows)
        return result


def steps(lists: Mapping[int, Comparisons], pair: Linear) -> Steps:
    """Return what the second step weighs of each pair that was compared.

    `lists` has the comparisons of each sighting by its enrolment number. What a list says of
    sightings that are not among them counts for the middle and spread alone.
    """
    position = {number: index for index, number in enumerate(lists)}
    first = [pair.log_odds(each.features) for each in lists.values()]
    table = np.full((len(lists), len(lists)), np.nan)
    outside: list[NDArray[np.float64]] = []
    left, right, log_odds = [], [], []
    for index, (each, odds) in enumerate(zip(lists.values(), first, strict=True)):
        there = np.array([position.get(int(number), -1) for number in each.numbers], dtype=np.int64)
        inside = there >= 0
        table[index, there[inside]] = table[there[inside], index] = odds[inside]
        outside.append(odds[~inside])
        left.append(np.full(inside.sum(), index))
        right.append(there[inside])
        log_odds.append(odds[inside])
    if not log_odds:
        none = np.zeros(0, dtype=np.int64)
        return Steps(none, none, np.zeros((0, len(STEPS))))
    odds, i, j = np.concatenate(log_odds), np.concatenate(left), np.concatenate(right)
    every = np.concatenate(first)
    if not len(odds):
        return Steps(i, j, np.zeros((0, len(STEPS))))
    middle, spread = _middle(every, LEAST_SPREAD)
    middles = np.full(len(lists), middle)
    spreads = np.full(len(lists), spread)
    for index, rest in enumerate(outside):
        row = table[index]
        seen = np.concatenate([row[~np.isnan(row)], rest])
        if len(seen) >= MIN_SCORES:
            share = len(seen) / (len(seen) + HALVED_AT)
            own = _middle(seen, LEAST_IN_LIST)
            middles[index] = share * own[0] + (1 - share) * middle
            spreads[index] = share * own[1] + (1 - share) * spread
    above_left = _above(odds, middles[i], spreads[i])
    above_right = _above(odds, middles[j], spreads[j])
    return Steps(
        i,
        j,
        np.stack(
            [
                odds,
                _above(odds, middle, spread),
                np.minimum(above_left, above_right),
                np.maximum(above_left, above_right),
            ],
            axis=1,
        ),
    )


def _middle(log_odds: NDArray[np.float64], least: float) -> tuple[float, float]:
    """Return the median and the spread below it, where no pair of one animal is."""
    median, low = np.quantile(log_odds, [0.5, BELOW])
    return float(median), float(max(median - low, least))


def _above(
    log_odds: NDArray[np.float64],
    middle: NDArray[np.float64] | float,
    spread: NDArray[np.float64] | float,
) -> NDArray[np.float64]:
    return np.asarray(np.clip((log_odds - middle) / spread, LOWEST, HIGHEST))

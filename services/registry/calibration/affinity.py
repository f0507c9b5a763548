"""Log-odds that two sightings show one animal, for all compared pairs.

Two steps. A logistic regression weighs each pair's features; among them how distinctive their
matches are, which depends on the individuals as they are known. Its log-odds are then normalised by
those of all that either sighting was compared with: nearly all are other animals, so a curve fitted
on species with more, or less, distinctive pictures is rescaled to this one (symmetric score
normalisation, S-norm, from speaker verification).

Standing out is not enough where a species shows little: a pair whose matches are hardly distinctive
never speaks for one animal.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from services.registry.calibration.models import CalibrationModel, Linear
from services.registry.features.comparisons import COMPARED, Comparisons
from services.registry.features.distinctiveness import VoteTable
from services.registry.features.evidence import ENLARGED
from services.registry.features.positions import Positions
from shared.robust import BELOW

# Inputs of the first step: the logarithm of the distinctiveness, mean of both directions, the
# smaller and the larger one, and the features of its comparison.
BY_INDIVIDUAL = ("distinctiveness", "less_distinctive", "more_distinctive")
PAIR = (*BY_INDIVIDUAL, *COMPARED)
# Inputs of the second step: the log-odds of the first, how many spreads they lie above the median
# of all of them, and above that of each list: the smaller and the larger value.
STEPS = ("log_odds", "above_all", "above_stricter", "above_other")
LEAST_SPREAD, LEAST_IN_LIST = 0.25, 0.15
LOWEST, HIGHEST = -3.0, 10.0
# For a list of this length, its own median and spread weigh as much as those of all lists; one
# shorter than `MIN_SCORES` uses the latter only.
HALVED_AT = 10
MIN_SCORES = 5
# Log-odds of a pair below the floor, at most.
UNSUPPORTED = -3.0


class Steps(NamedTuple):
    """Pairs by the positions of their sightings, `left` [P] and `right` [P]; `rows` [P, 4].

    `distinctiveness` [P]: its logarithm, mean of both directions.
    """

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    rows: NDArray[np.float64]
    distinctiveness: NDArray[np.float64]


class Affinity(CalibrationModel):
    """Both steps, as stored in the calibration file.

    `floor`: the least distinctiveness (logarithm) of a pair that may speak for one animal.
    """

    pair: Linear
    against_lists: Linear
    floor: float = 0.0

    @model_validator(mode="after")
    def _widths(self) -> Self:
        self.pair.of_width(len(PAIR))
        self.against_lists.of_width(len(STEPS))
        return self

    def matrix(self, pairs: "PairTable", groups: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return log-odds [N, N] between the sightings of a table, if `groups` are its individuals.

        Symmetric; NaN for pairs that were not compared, and on the diagonal.
        """
        left, right, rows, distinctiveness = steps(pairs, self.pair, groups)
        log_odds = self.against_lists.log_odds(rows)
        weak = distinctiveness < self.floor
        result = np.full((len(pairs.features), len(pairs.features)), np.nan)
        result[left, right] = np.where(weak, np.minimum(log_odds, UNSUPPORTED), log_odds)
        result[right, left] = result[left, right]
        return result


class PairTable:
    """All comparisons of some sightings, prepared for changing individuals.

    `lists` has the comparisons of each sighting by enrolment number. Comparisons with sightings
    outside `lists` count for median and spread only.
    """

    def __init__(self, lists: Mapping[int, Comparisons]) -> None:
        positions = Positions(lists)
        self._votes = VoteTable(lists)
        self.features = [each.features for each in lists.values()]
        # The position of each list's candidates; -1: not among them.
        self.there = [positions.of(each.numbers) for each in lists.values()]

    def square(self, values: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """Return one value for each comparison as a symmetric matrix [N, N]; NaN: not compared."""
        table = np.full((len(values), len(values)), np.nan)
        for index, (there, row) in enumerate(zip(self.there, values, strict=True)):
            inside = there >= 0
            table[index, there[inside]] = table[there[inside], index] = row[inside]
        return table

    def rows(self, groups: NDArray[np.int64]) -> list[NDArray[np.float64]]:
        """Return the inputs of the first step for each list, [N, 18]."""
        spoken = self._votes.between(groups)
        back = spoken.T
        three = np.stack([(spoken + back) / 2, np.minimum(spoken, back), np.maximum(spoken, back)])
        logs = np.log1p(ENLARGED * three)
        found = []
        for index, (there, features) in enumerate(zip(self.there, self.features, strict=True)):
            distinct = np.where(there[:, None] >= 0, logs[:, index, there].T, 0.0)
            found.append(np.hstack([distinct.reshape(-1, len(BY_INDIVIDUAL)), features]))
        return found


def steps(pairs: PairTable, pair: Linear, groups: NDArray[np.int64]) -> Steps:
    """Return the second step's inputs for each compared pair, if `groups` are the individuals."""
    count = len(pairs.features)
    inputs = pairs.rows(groups)
    first = [pair.log_odds(rows) for rows in inputs]
    table = pairs.square(first)
    outside: list[NDArray[np.float64]] = []
    left, right, log_odds, distinct = [], [], [], []
    for index, (there, odds) in enumerate(zip(pairs.there, first, strict=True)):
        inside = there >= 0
        outside.append(odds[~inside])
        left.append(np.full(inside.sum(), index))
        right.append(there[inside])
        log_odds.append(odds[inside])
        distinct.append(inputs[index][inside, 0])
    if not log_odds:
        none = np.zeros(0, dtype=np.int64)
        return Steps(none, none, np.zeros((0, len(STEPS))), np.zeros(0))
    odds, i, j = np.concatenate(log_odds), np.concatenate(left), np.concatenate(right)
    distinctiveness = np.concatenate(distinct)
    every = np.concatenate(first)
    if not len(odds):
        return Steps(i, j, np.zeros((0, len(STEPS))), distinctiveness)
    middle, spread = _middle(every, LEAST_SPREAD)
    middles = np.full(count, middle)
    spreads = np.full(count, spread)
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
        distinctiveness,
    )


def _middle(log_odds: NDArray[np.float64], least: float) -> tuple[float, float]:
    """Return the median and the spread below it, where pairs are of different animals."""
    median, low = np.quantile(log_odds, [0.5, BELOW])
    return float(median), float(max(median - low, least))


def _above(
    log_odds: NDArray[np.float64],
    middle: NDArray[np.float64] | float,
    spread: NDArray[np.float64] | float,
) -> NDArray[np.float64]:
    return np.asarray(np.clip((log_odds - middle) / spread, LOWEST, HIGHEST))

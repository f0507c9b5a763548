"""Log-odds that two sightings show one animal, for all compared pairs.

Two steps. A logistic regression weighs each pair's features; among them how distinctive their
matches are, which depends on the individuals as they are known. Its log-odds are then normalised by
those of all that either sighting was compared with: nearly all are other animals, so a curve fitted
on species with more, or less, distinctive pictures is rescaled to this one (symmetric score
normalisation, S-norm, from speaker verification).

Standing out is not enough where a species shows little: a pair whose matches are hardly distinctive
never speaks for one animal.
"""

from collections.abc import Mapping
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
        _, _, rows, distinctiveness = steps(pairs, self.pair, groups)
        log_odds = self.against_lists.log_odds(rows)
        weak = distinctiveness < self.floor
        every = np.zeros(len(pairs.inside))
        every[pairs.inside] = np.where(weak, np.minimum(log_odds, UNSUPPORTED), log_odds)
        return pairs.square(every)


class PairTable:
    """All comparisons of some sightings, prepared for changing individuals.

    `lists` has the comparisons of each sighting by enrolment number. Comparisons with sightings
    outside `lists` count for median and spread only. `left` and `right` [P] are the positions of
    the sightings compared inside, `inside` [C] says which comparisons these are.
    """

    def __init__(self, lists: Mapping[int, Comparisons]) -> None:
        self.count = len(lists)
        self._votes = VoteTable(lists)
        lengths = [len(each.numbers) for each in lists.values()]
        owners = np.repeat(np.arange(self.count), lengths)
        none = [np.zeros(0, dtype=np.int64)]
        numbers = np.concatenate([*none, *(each.numbers for each in lists.values())])
        there = Positions(lists).of(numbers)
        self._features = np.concatenate(
            [np.zeros((0, len(COMPARED))), *(each.features for each in lists.values())]
        )
        self.inside = there >= 0
        self.left, self.right = owners[self.inside], there[self.inside]
        # Where the others stand in a table with a row for each list.
        outside = owners[~self.inside]
        first = np.searchsorted(outside, outside)
        self._outside = outside, np.arange(len(outside)) - first

    def square(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return one value per comparison [C] as a symmetric matrix [N, N]; NaN: not compared."""
        table = np.full((self.count, self.count), np.nan)
        ends = np.stack([self.left, self.right], axis=1)
        # Of two comparisons of one pair the later counts, in both directions.
        table[ends.ravel(), ends[:, ::-1].ravel()] = np.repeat(values[self.inside], 2)
        return table

    def by_list(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return all values [C] that concern each sighting, sorted; [N, M], NaN at the end."""
        rows, columns = self._outside
        others = np.full((self.count, int(columns.max(initial=-1)) + 1), np.nan)
        others[rows, columns] = values[~self.inside]
        return np.sort(np.hstack([self.square(values), others]), axis=1)

    def rows(self, groups: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the inputs of the first step for each comparison, [C, 18]."""
        spoken = self._votes.between(groups)
        one, other = spoken[self.left, self.right], spoken[self.right, self.left]
        found = np.zeros((len(self.inside), len(PAIR)))
        three = np.stack(
            [(one + other) / 2, np.minimum(one, other), np.maximum(one, other)], axis=1
        )
        found[self.inside, : len(BY_INDIVIDUAL)] = np.log1p(ENLARGED * three)
        found[:, len(BY_INDIVIDUAL) :] = self._features
        return found


def steps(pairs: PairTable, pair: Linear, groups: NDArray[np.int64]) -> Steps:
    """Return the second step's inputs for each compared pair, if `groups` are the individuals."""
    inputs = pairs.rows(groups)
    every = pair.log_odds(inputs)
    odds, distinctiveness = every[pairs.inside], inputs[pairs.inside, 0]
    i, j = pairs.left, pairs.right
    if not len(odds):
        return Steps(i, j, np.zeros((0, len(STEPS))), distinctiveness)
    middle, spread = _middle(np.sort(every)[None], np.array([len(every)]), LEAST_SPREAD)
    seen = pairs.by_list(every)
    counts = np.count_nonzero(~np.isnan(seen), axis=1)
    share = np.where(counts >= MIN_SCORES, counts / (counts + HALVED_AT), 0.0)
    own, own_spread = _middle(seen, np.maximum(counts, 1), LEAST_IN_LIST)
    middles = np.where(share > 0, share * own + (1 - share) * middle, middle)
    spreads = np.where(share > 0, share * own_spread + (1 - share) * spread, spread)
    above_left = _above(odds, middles[i], spreads[i])
    above_right = _above(odds, middles[j], spreads[j])
    rows = [
        odds,
        _above(odds, middle, spread),
        np.minimum(above_left, above_right),
        np.maximum(above_left, above_right),
    ]
    return Steps(i, j, np.stack(rows, axis=1), distinctiveness)


def _middle(
    log_odds: NDArray[np.float64], counts: NDArray[np.int64], least: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the median [N] and the spread [N] below it, where pairs are of different animals.

    `log_odds` [N, M] are sorted; of each row the first of `counts` [N] are numbers.
    """
    median, low = (_quantile(log_odds, counts, share) for share in (0.5, BELOW))
    return median, np.maximum(median - low, least)


def _quantile(
    rows: NDArray[np.float64], counts: NDArray[np.int64], share: float
) -> NDArray[np.float64]:
    """Return a quantile of the first `counts` [N] numbers of each sorted row [N, M], linear."""
    at = share * (counts - 1)
    below = np.floor(at).astype(np.int64)
    above = np.minimum(below + 1, counts - 1)
    each = np.arange(len(rows))
    return np.asarray(rows[each, below] + (at - below) * (rows[each, above] - rows[each, below]))


def _above(
    log_odds: NDArray[np.float64],
    middle: NDArray[np.float64] | float,
    spread: NDArray[np.float64] | float,
) -> NDArray[np.float64]:
    return np.asarray(np.clip((log_odds - middle) / spread, LOWEST, HIGHEST))

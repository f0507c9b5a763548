"""Thresholds that keep a promise: the error stated by the user, with confidence.

A threshold that is chosen because the error looked small on the data is a biased one.
Learn then Test (Angelopoulos et al., 2021) asks instead, for a list of thresholds that
was fixed before, "is its error above the accepted one?", from the highest, safest one
down, and stops at the first for which that can't be ruled out. Testing in a fixed order
needs no correction for the number of tests. The lowest threshold that passed is taken.

A binomial bound needs independent trials, and the pictures of one animal are not. So one
picture of each animal counts, drawn by lot: the promise is about a picture of an animal
that is itself drawn at random, from the population and galleries of the calibration.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition.calibration.bound import CalibrationError, needed, supported, upper_bound
from recognition.calibration.queries import CalibrationQuery
from services.registry.calibration.calibration import Guarantee
from services.registry.calibration.models import sigmoid

# Fixed whatever the data say, from the highest down: log-odds from 12 to -8.
LEVELS = sigmoid(np.arange(12.0, -8.0, -0.05))

# A species of which nearly every answer would be wrong has few wrong ones above a high
# threshold, and still no right ones.
MISTAKEN = 0.1


@dataclass(frozen=True)
class RiskLevels:
    """What the user accepts, each with the same confidence.

    false_known: share of new animals that are called known, and of known animals that
        get the wrong name
    false_new: share of known animals that are called new
    """

    false_known: float
    false_new: float
    confidence: float


@dataclass(frozen=True)
class Thresholds:
    """Known at or above `known` (1: never), new below `new`, and what speaks for them."""

    known: float
    new: float
    guarantee: Guarantee


def thresholds(
    queries: Sequence[CalibrationQuery], risk_levels: RiskLevels, seed: int = 0
) -> Thresholds:
    """Return the thresholds that send the fewest queries to a person and keep the promise.

    `seed` draws the picture of each animal that counts. `known` is 1 where the evidence
    supports no threshold: even the highest errs too often, or of what it would call known
    more than `MISTAKEN` is wrong.

    Raises:
        CalibrationError: there are too few animals to promise so small an error.
    """
    new_queries = one_each((query for query in queries if not query.known), seed)
    enrolled = one_each((query for query in queries if query.known), seed)
    require(len(new_queries), "new", risk_levels)
    require(len(enrolled), "known", risk_levels)

    chance = _probabilities(new_queries)
    misnamed = _probabilities(query for query in enrolled if not query.right)
    wrong = _probabilities(query for query in queries if not query.right)
    right = _probabilities(query for query in queries if query.right)

    known, bound, wrong_bound = 1.0, 0.0, 0.0
    for level in LEVELS:
        false = upper_bound(int((chance >= level).sum()), len(new_queries), risk_levels.confidence)
        named = upper_bound(int((misnamed >= level).sum()), len(enrolled), risk_levels.confidence)
        if max(false, named) > risk_levels.false_known:
            break
        if (right >= level).any() and _mistaken(wrong >= level, right >= level) <= MISTAKEN:
            known, bound, wrong_bound = float(level), false, named
    guarantee = Guarantee(
        false_known=risk_levels.false_known,
        false_new=risk_levels.false_new,
        confidence=risk_levels.confidence,
        bound=bound,
        wrong_bound=wrong_bound,
        individuals=len(new_queries),
        known_individuals=len(enrolled),
        pictures=sum(not query.known for query in queries),
        species=tuple(sorted({query.species for query in queries})),
    )
    return Thresholds(known, new_threshold(queries, known, risk_levels, seed), guarantee)


def new_threshold(
    queries: Sequence[CalibrationQuery], known: float, risk_levels: RiskLevels, seed: int = 0
) -> float:
    """Return the highest level up to `known` below which few enough known animals fall.

    Tested in a fixed order like `known`, from the lowest up; 0, nothing is called new that
    has a candidate, where not even the lowest passes.
    """
    enrolled = _probabilities(one_each((query for query in queries if query.known), seed))
    new = 0.0
    for level in LEVELS[known >= LEVELS][::-1]:
        below = int((enrolled < level).sum())
        if upper_bound(below, len(enrolled), risk_levels.confidence) > risk_levels.false_new:
            break
        new = float(level)
    return new


def one_each(queries: Iterable[CalibrationQuery], seed: int) -> list[CalibrationQuery]:
    """Return one query of each individual, drawn by lot."""
    grouped: dict[str, list[CalibrationQuery]] = defaultdict(list)
    for query in queries:
        grouped[query.individual].append(query)
    lot = random.Random(seed)  # noqa: S311 - a draw that comes again, no secret
    return [lot.choice(grouped[individual]) for individual in sorted(grouped)]


def require(count: int, kind: str, risk_levels: RiskLevels) -> None:
    """Refuse a promise that so many independent animals could not support if none went wrong.

    Raises:
        CalibrationError: with how many there are, how many are needed, and what these support.
    """
    least = needed(risk_levels.false_known, risk_levels.confidence)
    if count < least:
        raise CalibrationError(
            f"an error rate of {risk_levels.false_known:g} at confidence "
            f"{risk_levels.confidence:g} needs {least} {kind} individuals without a single error; "
            f"there are {count}, which support {supported(count, risk_levels.confidence):.3f} at "
            "best. Label more individuals or accept a higher error rate (--max-false-known)"
        )


def _probabilities(queries: Iterable[CalibrationQuery]) -> NDArray[np.float64]:
    return np.array([query.probability for query in queries])


def _mistaken(wrong: NDArray[np.bool_], right: NDArray[np.bool_]) -> float:
    return float(wrong.sum() / (wrong.sum() + right.sum()))

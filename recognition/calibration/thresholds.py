"""Chooses thresholds with guaranteed error rates.

A threshold chosen because the observed error is small is biased. Learn then Test (Angelopoulos et
al., 2021) instead tests a fixed list of thresholds, from the highest, safest one down: "is its
error above the accepted one?", and stops at the first for which that cannot be ruled out. Testing
in a fixed order needs no correction for multiple tests. The lowest threshold that passed is used.

A binomial bound needs independent trials, and pictures of one animal are dependent. So one random
picture of each animal counts: the guarantee is about a picture of a random animal from the
population and galleries of the calibration.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition.calibration.bound import (
    CalibrationError,
    RiskLevels,
    needed,
    supported,
    upper_bound,
)
from recognition.calibration.queries import CalibrationQuery
from services.registry.calibration.calibration import Guarantee
from services.registry.calibration.models import sigmoid

# Fixed independently of the data, from the highest down: log-odds from 12 to -8.
LEVELS = sigmoid(np.arange(12.0, -8.0, -0.05))

# A species on which nearly all answers are wrong has few wrong ones above a high threshold, and
# still no right ones.
MISTAKEN = 0.1

# Share of right calls that may be lost to the floors of their evidence.
LOST = 0.02


@dataclass(frozen=True)
class Thresholds:
    """Known at or above `known` (1: never), new below `new`, and the evidence for both."""

    known: float
    new: float
    guarantee: Guarantee


def thresholds(
    queries: Sequence[CalibrationQuery], risk_levels: RiskLevels, seed: int = 0
) -> Thresholds:
    """Return the thresholds that send the fewest queries to review and keep the guarantee.

    `seed` selects the picture of each animal that counts. `known` is 1 if the evidence supports no
    threshold: even the highest errs too often, or more than `MISTAKEN` of what it would call known
    is wrong.

    Raises:
        CalibrationError: there are too few animals to guarantee this error.
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

    Tested in a fixed order like `known`, from the lowest up; 0 if not even the lowest passes: then
    nothing with a candidate is called new.
    """
    enrolled = _probabilities(one_each((query for query in queries if query.known), seed))
    new = 0.0
    for level in LEVELS[known >= LEVELS][::-1]:
        below = int((enrolled < level).sum())
        if upper_bound(below, len(enrolled), risk_levels.confidence) > risk_levels.false_new:
            break
        new = float(level)
    return new


def floors(
    queries: Sequence[CalibrationQuery], known: float, sets: Mapping[str, str]
) -> tuple[float, ...] | None:
    """Return the least evidence of a known call; None if there are no right calls.

    It is what all but `LOST` of a set's right calls have, the mean over the sets. The threshold
    rests on how far evidence stands out of its list, and on a species unlike those of the
    calibration something always does.
    """
    least: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    for query in queries:
        if query.right and query.probability >= known:
            least[sets.get(query.species, query.species)].append(query.essentials)
    if not least:
        return None
    found = np.array([np.quantile(np.array(rows), LOST, axis=0) for rows in least.values()])
    return tuple(found.mean(axis=0).tolist())


def one_each(queries: Iterable[CalibrationQuery], seed: int) -> list[CalibrationQuery]:
    """Return one random query of each individual."""
    grouped: dict[str, list[CalibrationQuery]] = defaultdict(list)
    for query in queries:
        grouped[query.individual].append(query)
    lot = random.Random(seed)  # noqa: S311 - a draw that comes again, no secret
    return [lot.choice(grouped[individual]) for individual in sorted(grouped)]


def require(count: int, kind: str, risk_levels: RiskLevels) -> None:
    """Refuse a guarantee that this many independent animals could not support without any error.

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

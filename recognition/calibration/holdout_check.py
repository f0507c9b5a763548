"""Checks the guarantee: thresholds from one half of the individuals, applied to the other."""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recognition.calibration.bound import RiskLevels
from recognition.calibration.queries import CalibrationQuery
from recognition.calibration.thresholds import thresholds


@dataclass(frozen=True)
class HoldoutCheck:
    """The false-known rates on the other halves, and in how many the guarantee held."""

    rates: tuple[float, ...]
    kept: int


def check_holdout(
    queries: Sequence[CalibrationQuery], risk_levels: RiskLevels, count: int, seed: int = 0
) -> HoldoutCheck:
    """Return the false-known rates of `count` random halves with the other halves' thresholds.

    A half is a sample itself: if the true error is exactly the accepted one, about every second
        half exceeds it. That counts as a failure here.

    Raises:
        CalibrationError: half of the individuals are too few for a threshold.
    """
    lot = random.Random(seed)  # noqa: S311 - draws that come again, no secret
    grouped: dict[str, list[CalibrationQuery]] = defaultdict(list)
    for query in queries:
        grouped[query.individual].append(query)
    names = sorted(grouped)
    rates = []
    for again in range(count):
        lot.shuffle(names)
        one, other = names[: len(names) // 2], names[len(names) // 2 :]
        chosen = thresholds([query for name in one for query in grouped[name]], risk_levels, again)
        rates.append(
            false_known([query for name in other for query in grouped[name]], chosen.known)
        )
    return HoldoutCheck(tuple(rates), sum(rate <= risk_levels.false_known for rate in rates))


def false_known(queries: Sequence[CalibrationQuery], known: float) -> float:
    """Return the share of new animals' pictures at or above `known`.

    Each animal has equal weight.
    """
    called: dict[str, list[bool]] = defaultdict(list)
    for query in queries:
        if not query.known:
            called[query.individual].append(query.probability >= known)
    return float(np.mean([np.mean(each) for each in called.values()]))

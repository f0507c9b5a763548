"""Ranks individuals by evidence: known, new, review or unidentifiable. Pure functions."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.registry.calibration.calibration import Curve
from services.registry.calibration.models import logit
from services.registry.features.evidence import features
from shared.messages import (
    OUTCOME_KNOWN,
    OUTCOME_NEW,
    OUTCOME_REVIEW,
    OUTCOME_UNIDENTIFIABLE,
    Evidence,
    Outcome,
    RankedIndividual,
)


@dataclass(frozen=True)
class Verdict:
    """The result of a ranking.

    `individual` is the first-ranked one if the outcome is known, else empty. `probability` is the
    first-ranked's; 0 if there is none.
    """

    outcome: Outcome
    individual: str
    probability: float


# For a sighting that cannot be compared: it is not identified and founds no individual.
UNIDENTIFIABLE = Verdict(OUTCOME_UNIDENTIFIABLE, "", 0.0)


def combined(probabilities: Iterable[float], dependence: float) -> float:
    """Return the probability that at least one of an individual's sightings matches.

    A noisy-or, 1 - Π (1 - p_k)^(d^k) over the probabilities in descending order, k from 0. Pictures
    of one animal are not independent: the discount d is 0 for "only the best one counts" and
    approaches the full noisy-or at 1. All pictures together weigh at most 1 / (1 - d) times as much
    as the best, so an animal with a hundred pictures does not win by their number.
    """
    missed = 1.0
    for rank, probability in enumerate(sorted(probabilities, reverse=True)):
        missed *= (1 - probability) ** (dependence**rank)
    return 1 - missed


def against_each_other(
    alone: NDArray[np.float64], temperature: float, unknown_logit: float
) -> NDArray[np.float64]:
    """Return normalised probabilities of individuals [I] that were judged separately [I].

    The query is one or none of them, so they sum to at most 1: a softmax over their log-odds
    divided by `temperature`, with `unknown_logit` for none. The order stays. With 1 and 0 a single
    individual keeps its probability, and two equally likely ones share.
    """
    odds = np.append(logit(alone) / temperature, unknown_logit)
    weights = np.exp(odds - odds.max())
    return np.asarray(weights[:-1] / weights.sum())


def rank(
    evidence: Sequence[Evidence], members: Mapping[str, str], taken: AbstractSet[str], curve: Curve
) -> list[RankedIndividual]:
    """Return the individuals supported by the evidence, most probable first.

    `members` gives the individual of each candidate's sighting; other candidates are ignored. So is
    an individual that is `taken`: two animals in one picture are never the same. For a repeated
    candidate the last evidence counts.

    Raises:
        Poison: the evidence holds impossible numbers.
    """
    last = {item.candidate.sighting_id: item for item in evidence}
    usable = [
        item for sighting, item in last.items() if members.get(sighting, "") not in {"", *taken}
    ]
    grouped: dict[str, list[tuple[float, Evidence]]] = defaultdict(list)
    for item, probability in zip(usable, curve.probabilities(features(usable)), strict=True):
        grouped[members[item.candidate.sighting_id]].append((float(probability), item))
    alone = np.array(
        [
            combined((probability for probability, _ in sightings), curve.dependence)
            for sightings in grouped.values()
        ]
    )
    together = against_each_other(alone, curve.temperature, curve.unknown_logit)
    ranked = [
        RankedIndividual(
            individual=individual,
            probability=float(probability),
            best=max(sightings, key=lambda pair: pair[0])[1],
        )
        for (individual, sightings), probability in zip(grouped.items(), together, strict=True)
    ]
    return sorted(ranked, key=lambda item: (-item.probability, item.individual))


def judge(ranked: Sequence[RankedIndividual], curve: Curve, *, guaranteed: bool = True) -> Verdict:
    """Apply the curve's thresholds to a ranking.

    Unless the calibration's guarantee holds (`guaranteed`) and the evidence is typical of right
    calls, a known individual goes to review. New individuals stay new: a wrong one can be merged.
    """
    if not ranked:
        return Verdict(OUTCOME_NEW, "", 0.0)
    first = ranked[0]
    if first.probability >= curve.known:
        if not guaranteed or not curve.typical(first.best):
            return Verdict(OUTCOME_REVIEW, "", first.probability)
        return Verdict(OUTCOME_KNOWN, first.individual, first.probability)
    outcome = OUTCOME_NEW if first.probability < curve.new else OUTCOME_REVIEW
    return Verdict(outcome, "", first.probability)

"""Evidence → ranked individuals → known, new or review. Pure functions."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from services.registry.calibration import Curve
from services.registry.evidence import features
from shared.messages import (
    OUTCOME_KNOWN,
    OUTCOME_NEW,
    OUTCOME_REVIEW,
    Evidence,
    Outcome,
    RankedIndividual,
)


@dataclass(frozen=True)
class Verdict:
    """What a ranking comes to.

    `individual` is the first-ranked one if the outcome is known, else empty.
    `probability` is that of the first-ranked; 0 when there is none.
    """

    outcome: Outcome
    individual: str
    probability: float


def combined(probabilities: Iterable[float], dependence: float) -> float:
    """Return the probability that at least one of an individual's sightings matches.

    A noisy-or, 1 - Π (1 - p_k)^(d^k) over the probabilities in falling order, k from
    0. Pictures of one animal resemble each other, so they are far from independent:
    the discount d is 0 for "the best one counts" and approaches the full noisy-or at
    1. All pictures together weigh at most 1 / (1 - d) times as much as the best, so
    an animal with a hundred pictures does not win by their number.
    """
    missed = 1.0
    for rank, probability in enumerate(sorted(probabilities, reverse=True)):
        missed *= (1 - probability) ** (dependence**rank)
    return 1 - missed


def rank(
    evidence: Sequence[Evidence], members: Mapping[str, str], taken: AbstractSet[str], curve: Curve
) -> list[RankedIndividual]:
    """Return the individuals that the evidence speaks for, the most probable first.

    `members` gives the individual of each candidate's sighting; a candidate that is
    not in it is left out. So is an individual that is `taken`: two animals in one
    picture are never the same. A candidate that came twice counts with its last evidence.

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
    ranked = [
        RankedIndividual(
            individual=individual,
            probability=combined((probability for probability, _ in sightings), curve.dependence),
            best=max(sightings, key=lambda pair: pair[0])[1],
        )
        for individual, sightings in grouped.items()
    ]
    return sorted(ranked, key=lambda item: (-item.probability, item.individual))


def judge(ranked: Sequence[RankedIndividual], curve: Curve) -> Verdict:
    """Return what the ranking comes to at the curve's thresholds."""
    if not ranked:
        return Verdict(OUTCOME_NEW, "", 0.0)
    first = ranked[0]
    if first.probability >= curve.known:
        return Verdict(OUTCOME_KNOWN, first.individual, first.probability)
    outcome = OUTCOME_NEW if first.probability < curve.new else OUTCOME_REVIEW
    return Verdict(outcome, "", first.probability)

"""Fits how several pictures and individuals combine into probabilities."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp

from recognition.data.labelled_stream import LabelledSighting
from services.registry.calibration.models import Family, logit
from services.registry.features.evidence import features
from services.registry.identity.rank import combined

DEPENDENCES = (0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8)

# Beyond these temperatures evidence would be worthless, or proof.
TEMPERATURES = (0.2, 5.0)
UNKNOWN_LOGITS = (-20.0, 20.0)


@dataclass(frozen=True)
class Competition:
    """The fields of a curve that combine individuals, and their log loss."""

    dependence: float
    temperature: float
    unknown_logit: float
    loss: float


def fit_competition(sightings: Sequence[LabelledSighting], family: Family) -> Competition:
    """Return how individuals compete, by the lowest log loss of the true individual.

    Every sighting is a query twice, as it came and without its own individual, so probabilities are
    right if about half of the animals are new.
    """
    grouped = [_grouped(labelled, family) for labelled in sightings if labelled.evidence]
    fitted = [_fit(grouped, dependence) for dependence in DEPENDENCES]
    return min(fitted, key=lambda each: each.loss)


def _grouped(labelled: LabelledSighting, family: Family) -> tuple[list[list[float]], bool]:
    """Return the probabilities of each individual's pictures; its own first, if present."""
    grouped: dict[str, list[float]] = defaultdict(list)
    scores = family.probabilities(features(labelled.evidence))
    for item, probability in zip(labelled.evidence, scores, strict=True):
        grouped[labelled.members[item.candidate.sighting_id]].append(float(probability))
    own = grouped.pop(labelled.identity, None)
    return [*([own] if own else []), *grouped.values()], own is not None


def _fit(grouped: Sequence[tuple[list[list[float]], bool]], dependence: float) -> Competition:
    width = max(len(individuals) for individuals, _ in grouped)
    alone = np.full((len(grouped), width), -np.inf)
    for row, (individuals, _) in enumerate(grouped):
        values = np.array([combined(each, dependence) for each in individuals])
        alone[row, : len(values)] = logit(values)
    there = np.array([own for _, own in grouped])
    without = alone[there].copy()
    without[:, 0] = -np.inf
    asked = np.concatenate([alone, without])
    own_first = np.concatenate([there, np.zeros(len(without), dtype=np.bool_)])

    def loss(at: NDArray[np.float64]) -> float:
        odds = asked / np.exp(at[0])
        unknown_logit = np.full((len(odds), 1), at[1])
        total = logsumexp(np.hstack([odds, unknown_logit]), axis=1)
        return float(np.mean(total - np.where(own_first, odds[:, 0], at[1])))

    found = minimize(
        loss,
        x0=np.zeros(2),
        method="L-BFGS-B",
        bounds=[tuple(np.log(TEMPERATURES)), UNKNOWN_LOGITS],
    )
    return Competition(dependence, float(np.exp(found.x[0])), float(found.x[1]), float(found.fun))

"""Fit the curves and thresholds by which the registry decides.

Offline: labelled pairs in, the JSON file out that `services.registry.calibration`
loads. The features come from the registry's own `evidence.features`, so what is
fitted is what serves.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.registry.calibration import Calibration

STEPS = 100
TOLERANCE = 1e-9

# A species of which nearly every answer would be wrong has few wrong ones above a high
# threshold, and still no right ones.
MISTAKEN = 0.1


@dataclass(frozen=True)
class Logistic:
    """A logistic regression over standardised features; the fields of `Curve`."""

    coefficients: tuple[float, ...]
    means: tuple[float, ...]
    scales: tuple[float, ...]
    intercept: float


@dataclass(frozen=True)
class RankedQuery:
    """How a query came out: its first-ranked individual's probability, and the truth.

    `known`: its individual is in the gallery. `right`: that is the first-ranked one.
    Without any candidate the probability is 0.
    """

    probability: float
    known: bool
    right: bool


@dataclass(frozen=True)
class Cuts:
    """The thresholds of a curve: known at or above `known`, new below `new`."""

    known: float
    new: float


def fit(features: NDArray[np.float64], labels: NDArray[np.bool_], penalty: float = 1.0) -> Logistic:
    """Return the logistic regression of labels [N] (same individual?) on features [N, F].

    Newton's method (iteratively reweighted least squares; Bishop, Pattern
    Recognition and Machine Learning, 4.3.3) on standardised features, with the L2
    `penalty` on the coefficients but not on the intercept, so that separable pairs
    have a finite answer. A feature that never varies gets the coefficient 0.

    The pairs should come as they come in service: if negatives are thinned out,
    the probabilities rise.

    Raises:
        ValueError: shapes disagree, a number is not finite, or only one class is there.
    """
    if features.ndim != 2 or labels.shape != (len(features),):
        raise ValueError(f"features {features.shape} and labels {labels.shape} do not match")
    if not np.isfinite(features).all():
        raise ValueError("the features hold numbers that are not finite")
    if labels.all() or not labels.any():
        raise ValueError("a curve needs pairs of the same individual and pairs of different ones")
    means = features.mean(axis=0)
    spread = features.std(axis=0)
    scales = np.where(spread > 0, spread, 1.0)
    design = np.column_stack([np.ones(len(features)), (features - means) / scales])
    weights = _newton(design, labels.astype(np.float64), penalty)
    return Logistic(
        coefficients=tuple(map(float, weights[1:])),
        means=tuple(map(float, means)),
        scales=tuple(map(float, scales)),
        intercept=float(weights[0]),
    )


def cuts(groups: Sequence[Sequence[RankedQuery]], false_known: float, false_new: float) -> Cuts:
    """Return the thresholds that send the fewest queries to a person.

    `groups` are the queries of each species; every species counts alike, however many
    pictures it has. `false_known`: share of the queries whose first-ranked individual is
    wrong, new animals among them, that may be decided "known". `false_new`: share of the
    queries of known animals that may be decided "new". Both are shares of what the query
    *is*, so they don't depend on how often known animals come by. `known` is the lowest
    probability that keeps the first and from which on at most `MISTAKEN` of the answers
    are wrong, `new` the highest up to `known` that keeps the second. Where the evidence
    supports no such `known`, it is 1: then nothing is called known.

    Raises:
        ValueError: there are no queries.
    """
    levels = np.unique([query.probability for group in groups for query in group])
    if not len(levels):
        raise ValueError("thresholds need queries")
    wrong = [_probabilities(query for query in group if not query.right) for group in groups]
    enrolled = [_probabilities(query for query in group if query.known) for group in groups]
    right = _probabilities(query for group in groups for query in group if query.right)
    known = min(
        (
            x
            for x in levels
            if _share([each >= x for each in wrong]) <= false_known
            and _mistaken(np.concatenate(wrong) >= x, right >= x) <= MISTAKEN
        ),
        default=1.0,
    )
    new = max(
        (x for x in [*levels, known] if _share([each < x for each in enrolled]) <= false_new),
        default=0.0,
    )
    return Cuts(float(known), float(min(known, new)))


def write(calibration: Calibration, path: Path) -> None:
    """Write a calibration as the file that the registry loads."""
    path.write_text(calibration.model_dump_json(indent=2) + "\n")


def _probabilities(queries: Iterable[RankedQuery]) -> NDArray[np.float64]:
    return np.array([query.probability for query in queries])


def _mistaken(wrong: NDArray[np.bool_], right: NDArray[np.bool_]) -> float:
    return float(wrong.sum() / max(1, wrong.sum() + right.sum()))


def _share(groups: Sequence[NDArray[np.bool_]]) -> float:
    """Return the mean over the groups of the share that is true; an empty group has none."""
    return float(np.mean([of.mean() if len(of) else 0.0 for of in groups]))


def _newton(
    design: NDArray[np.float64], labels: NDArray[np.float64], penalty: float
) -> NDArray[np.float64]:
    """Return the weights [1 + F] that minimise the penalised negative log likelihood."""
    ridge = np.full(design.shape[1], penalty)
    ridge[0] = 0.0

    def loss(at: NDArray[np.float64]) -> float:
        logits = design @ at
        return float(
            np.sum(np.logaddexp(0.0, logits) - labels * logits) + 0.5 * np.sum(ridge * at**2)
        )

    weights = np.zeros(design.shape[1])
    current = loss(weights)
    for _ in range(STEPS):
        odds = 0.5 * (1 + np.tanh(design @ weights / 2))
        gradient = design.T @ (odds - labels) + ridge * weights
        curvature = (design * (odds * (1 - odds))[:, None]).T @ design + np.diag(ridge)
        step = np.linalg.solve(curvature, gradient)
        # Full steps can overshoot far from the solution: halve until the loss falls.
        size = 1.0
        while (following := loss(weights - size * step)) > current and size > TOLERANCE:
            size /= 2
        weights = weights - size * step
        if current - following < TOLERANCE:
            return weights
        current = following
    raise ArithmeticError(f"the curve did not settle in {STEPS} steps; raise the penalty")

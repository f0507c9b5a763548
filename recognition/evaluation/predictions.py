"""The registry's answer to a query, beside the truth."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition.data.labelled_stream import LabelledSighting
from services.registry.calibration.calibration import Curve
from services.registry.identity.rank import judge, rank
from shared.messages import OUTCOME_KNOWN, Evidence, Outcome


@dataclass(frozen=True)
class Prediction:
    """One query's answer.

    identity, known: the truth, as in `LabelledSighting`
    first, probability: the first-ranked individual, empty and 0 if there is none
    best: its strongest evidence
    outcome: known, new or review, at the curve's thresholds
    """

    identity: str
    known: bool
    first: str
    probability: float
    outcome: Outcome
    best: Evidence | None = None

    @property
    def right(self) -> bool:
        """Whether the first-ranked individual is the query's; never for an unknown query."""
        return self.known and self.first == self.identity

    @property
    def named(self) -> bool:
        """Whether the query was called known, rightly or not."""
        return self.outcome == OUTCOME_KNOWN


def predict(labelled: LabelledSighting, curve: Curve) -> Prediction:
    """Return the registry's ranking and outcome of a query."""
    ranked = rank(labelled.evidence, labelled.members, frozenset(), curve)
    verdict = judge(ranked, curve)
    return Prediction(
        identity=labelled.identity,
        known=labelled.known,
        first=ranked[0].individual if ranked else "",
        probability=verdict.probability,
        outcome=verdict.outcome,
        best=ranked[0].best if ranked else None,
    )


def probabilities(answers: Sequence[Prediction]) -> NDArray[np.float64]:
    """Return the first-ranked individuals' probabilities, float64 [Q]."""
    return np.array([item.probability for item in answers], dtype=np.float64)


def known(answers: Sequence[Prediction]) -> NDArray[np.bool_]:
    """Return which individuals are in the gallery, bool [Q]."""
    return np.array([item.known for item in answers], dtype=np.bool_)


def right(answers: Sequence[Prediction]) -> NDArray[np.bool_]:
    """Return where the first-ranked individual is the right one, bool [Q]."""
    return np.array([item.right for item in answers], dtype=np.bool_)


def named(answers: Sequence[Prediction]) -> NDArray[np.bool_]:
    """Return who was called known, bool [Q]."""
    return np.array([item.named for item in answers], dtype=np.bool_)


def worst(answers: Sequence[Prediction], count: int) -> list[int]:
    """Return the indices of the worst errors, at most `count`, most confident first.

    An error: a known animal whose first-ranked individual is another one, or an unknown animal
        called known.
    """
    mistaken = [
        index
        for index, item in enumerate(answers)
        if (item.first and not item.right if item.known else item.named)
    ]
    return sorted(mistaken, key=lambda index: -answers[index].probability)[:count]

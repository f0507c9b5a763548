"""Open-set metrics: how well known animals are told from new ones.

"Review" neither names an animal nor calls it new; each function says how it counts.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, rankdata

from recognition.evaluation.predictions import Prediction, known, probabilities, right
from shared.messages import OUTCOME_NEW

CONFIDENCE = 0.95


def auroc(answers: Sequence[Prediction]) -> float:
    """Return how often a known query's probability exceeds an unknown one's.

    The area under the curve of `roc`; ties count half (Mann–Whitney). Outcomes, including "review",
    and the first-ranked individual do not matter.

    Raises:
        ValueError: there are no known or no unknown queries.
    """
    of_known = _both(answers)
    ranks = rankdata(probabilities(answers))
    positives = int(of_known.sum())
    above = ranks[of_known].sum() - positives * (positives + 1) / 2
    return float(above / (positives * (len(of_known) - positives)))


def roc(answers: Sequence[Prediction]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the shares of unknown and of known queries that pass each threshold.

    One point for each distinct probability, from (0, 0) to (1, 1).

    Raises:
        ValueError: there are no known or no unknown queries.
    """
    of_known = _both(answers)
    scores = probabilities(answers)
    levels = np.concatenate([[np.inf], np.unique(scores)[::-1]])
    return _passing(scores[~of_known], levels), _passing(scores[of_known], levels)


def baks(answers: Sequence[Prediction]) -> float:
    """Return the balanced accuracy on known samples, as AnimalCLEF 2025 defines it.

    The mean over the known individuals of the share of their queries named correctly (`BAKS` of
    WildlifeDatasets/wildlife-datasets). "Review" counts as wrong.

    Raises:
        ValueError: there are no known queries.
    """
    taken = [item for item in answers if item.known]
    return _balanced(taken, lambda item: item.named and item.right, "known")


def baus(answers: Sequence[Prediction]) -> float:
    """Return the balanced accuracy on unknown samples, as AnimalCLEF 2025 defines it.

    The mean over the unknown individuals of the share of their queries called new (`BAUS` of
    WildlifeDatasets/wildlife-datasets). "Review" counts as wrong.

    Raises:
        ValueError: there are no unknown queries.
    """
    taken = [item for item in answers if not item.known]
    return _balanced(taken, lambda item: item.outcome == OUTCOME_NEW, "unknown")


def geometric_mean(answers: Sequence[Prediction]) -> float:
    """Return √(BAKS · BAUS), AnimalCLEF 2025's score. "Review" counts as wrong in both.

    The competition has no review: to compare, use one threshold, `new` = `known`.

    Raises:
        ValueError: there are no known or no unknown queries.
    """
    return float(np.sqrt(baks(answers) * baus(answers)))


def identification_rate(answers: Sequence[Prediction], false_positives: float) -> float:
    """Return DIR at a rate of false positive identifications (FPIR), such as 0.01.

    The share of known queries whose first-ranked individual is the right one *and* exceeds the
    lowest threshold that at most `false_positives` of the unknown queries exceed (open-set
    identification, ISO/IEC 19795-1; 1 - FNIR at rank 1 of Grother & Ngan, NISTIR 8009). With fewer
    than 1 / `false_positives` unknown queries none may exceed it. The curve's thresholds and
    outcomes, including "review", do not matter.

    Raises:
        ValueError: there are no known or no unknown queries, or the rate is not a share.
    """
    if not 0 <= false_positives < 1:
        raise ValueError(f"a rate of false positives of {false_positives} is not in [0, 1)")
    of_known = _both(answers)
    scores = probabilities(answers)
    new_queries = np.sort(scores[~of_known])[::-1]
    # 0.29 * 100 is 28.999999999999996, so round the last bit.
    allowed = int(np.floor(false_positives * len(new_queries) + 1e-9))
    passed = right(answers) & (scores > new_queries[allowed])
    return float(passed[of_known].mean())


def false_known_rate(answers: Sequence[Prediction]) -> float:
    """Return the share of the unknown queries that were called known.

    "Review" is not an error here, because a person decides.

    Raises:
        ValueError: there are no unknown queries.
    """
    mistaken, asked = _false_known(answers)
    return mistaken / asked


def false_known_bound(answers: Sequence[Prediction]) -> float:
    """Return the one-sided 95 % upper bound of `false_known_rate`.

    Clopper & Pearson (Biometrika 1934): exact for independent queries, never 0, so zero errors
    among few queries guarantee little (3 in 100 for none among 100).

    Raises:
        ValueError: there are no unknown queries.
    """
    mistaken, asked = _false_known(answers)
    if mistaken == asked:
        return 1.0
    return float(beta.ppf(CONFIDENCE, mistaken + 1, asked - mistaken))


def _both(answers: Sequence[Prediction]) -> NDArray[np.bool_]:
    """Return which queries are known, bool [Q], if there are both kinds."""
    of_known = known(answers)
    if of_known.all() or not of_known.any():
        raise ValueError(
            f"of {len(of_known)} queries {int(of_known.sum())} are known; both known and unknown "
            "ones are needed: use an open split"
        )
    return of_known


def _balanced(
    answers: Sequence[Prediction], good: Callable[[Prediction], bool], kind: str
) -> float:
    if not answers:
        raise ValueError(f"no query is {kind}: use a split that has some")
    by_individual: dict[str, list[bool]] = defaultdict(list)
    for item in answers:
        by_individual[item.identity].append(good(item))
    return float(np.mean([np.mean(each) for each in by_individual.values()]))


def _false_known(answers: Sequence[Prediction]) -> tuple[int, int]:
    new_queries = [item for item in answers if not item.known]
    if not new_queries:
        raise ValueError("no query is unknown: use an open split")
    return sum(item.named for item in new_queries), len(new_queries)


def _passing(scores: NDArray[np.float64], levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share of the scores at or above each level."""
    below = np.searchsorted(np.sort(scores), levels, side="left")
    return np.asarray(1 - below / len(scores))

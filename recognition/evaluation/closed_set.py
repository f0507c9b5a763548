"""Closed-set metrics, for queries whose individual is in the gallery."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recognition.data.labelled_stream import LabelledSighting
from recognition.evaluation.pipelines import EMBEDDING, Ranked


def rank_of_first(ranking: Sequence[Ranked], identity: str) -> float:
    """Return the rank of an individual, from 1; infinity if it is missing."""
    places = (place for place, item in enumerate(ranking, 1) if item.identity == identity)
    return float(next(places, np.inf))


def within(places: NDArray[np.float64], k: int) -> NDArray[np.bool_]:
    """Return which queries [Q] have their individual in the first k; the mean is R-k."""
    return places <= k


def cmc(places: NDArray[np.float64], depth: int) -> NDArray[np.float64]:
    """Return the cumulative match characteristic: R-1 to R-`depth`, float64 [depth].

    Raises:
        ValueError: there are no queries.
    """
    if not len(places):
        raise ValueError("a CMC curve needs queries")
    return np.asarray((places[:, None] <= np.arange(1, depth + 1)).mean(axis=0))


def average_precision(pictures: NDArray[np.bool_], relevant: int) -> float:
    """Return the average precision of one query; its mean over the queries is the mAP.

    `pictures`: which of the candidates, best first, show the query's individual.
    `relevant`: their number in the whole gallery. AP is the mean of the precision at their ranks
        (Manning, Raghavan & Schütze, Introduction to Information Retrieval, 8.4), as usual in
        re-identification since Market-1501 (Zheng et al. 2015); one that is not a candidate counts
        0.

    Raises:
        ValueError: more pictures are found than exist, or none exist.
    """
    found = int(pictures.sum())
    if relevant < max(1, found):
        raise ValueError(f"{found} of {relevant} pictures of the individual were found")
    at = np.flatnonzero(pictures) + 1
    return float((np.arange(1, found + 1) / at).sum() / relevant)


def shortlisted(labelled: LabelledSighting, k: int) -> bool:
    """Return whether a picture of the query's individual is among its k nearest candidates.

    Re-ranking cannot recover what is not on the shortlist.
    """
    return bool(EMBEDDING.pictures(labelled)[:k].any())

"""Ranks, average precision and the shortlist, against numbers counted by hand."""

import numpy as np
import pytest

from recognition.data.labelled_stream import LabelledSighting
from recognition.evaluation.closed_set import (
    average_precision,
    cmc,
    rank_of_first,
    shortlisted,
    within,
)
from recognition.evaluation.pipelines import Ranked
from shared.messages import Candidate, Evidence

RANKING = [Ranked("ann", 0.9), Ranked("bob", 0.5)]


def labelled(*members: str) -> LabelledSighting:
    """One query of ann's; the candidates' cosines fall in the order of `members`."""
    evidence = tuple(
        Evidence(candidate=Candidate(sighting_id=str(at), cosine=1 - at / 100))
        for at in range(len(members))
    )
    return LabelledSighting(
        "ann", True, evidence[::-1], dict(zip(map(str, range(9)), members, strict=False))
    )


def test_places_count_from_one_and_the_missing_is_nowhere() -> None:
    assert rank_of_first(RANKING, "ann") == 1
    assert rank_of_first(RANKING, "bob") == 2
    assert rank_of_first(RANKING, "cat") == np.inf
    assert rank_of_first([], "ann") == np.inf


def test_recall_counts_who_is_among_the_first() -> None:
    places = np.array([1.0, 3.0, np.inf, 2.0])
    assert within(places, 1).tolist() == [True, False, False, False]
    assert within(places, 20).mean() == 0.75


def test_the_curve_never_counts_whom_the_shortlist_lost() -> None:
    assert cmc(np.array([1.0, 3.0, np.inf, 2.0]), 4).tolist() == [0.25, 0.5, 0.75, 0.75]


def test_a_curve_without_queries_is_refused() -> None:
    with pytest.raises(ValueError, match="needs queries"):
        cmc(np.array([]), 5)


@pytest.mark.parametrize(
    ("pictures", "relevant", "expected"),
    [
        ([True, True, False], 2, 1.0),
        ([True, False, True], 2, (1 + 2 / 3) / 2),
        ([False, False, True], 1, 1 / 3),
        # Two more lie in the gallery, but not on the shortlist.
        ([True, False], 3, 1 / 3),
        ([False, False], 3, 0.0),
        ([], 1, 0.0),
    ],
)
def test_average_precision(pictures: list[bool], relevant: int, expected: float) -> None:
    found = average_precision(np.array(pictures, dtype=np.bool_), relevant)
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(("pictures", "relevant"), [([True, True], 1), ([False], 0)])
def test_impossible_numbers_of_pictures_are_refused(pictures: list[bool], relevant: int) -> None:
    with pytest.raises(ValueError, match=f"of {relevant} pictures"):
        average_precision(np.array(pictures), relevant)


def test_the_shortlist_is_cut_by_cosine_whatever_the_order_of_the_evidence() -> None:
    assert shortlisted(labelled("bob", "ann", "cat"), 2)
    assert not shortlisted(labelled("bob", "cat", "ann"), 2)
    assert not shortlisted(labelled(), 2)

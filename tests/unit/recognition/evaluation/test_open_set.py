"""Known against unknown, against numbers counted by hand."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from recognition.data.labelled_stream import LabelledSighting
from recognition.evaluation.open_set import (
    auroc,
    baks,
    baus,
    false_known_bound,
    false_known_rate,
    geometric_mean,
    identification_rate,
    roc,
)
from recognition.evaluation.predictions import Prediction, predict, worst
from shared.messages import OUTCOME_KNOWN, OUTCOME_NEW, OUTCOME_REVIEW, Outcome
from tests.support.queries import CURVES, evidence

KNOWN, NEW, REVIEW = OUTCOME_KNOWN, OUTCOME_NEW, OUTCOME_REVIEW


def known(identity: str, first: str, probability: float, outcome: Outcome = KNOWN) -> Prediction:
    return Prediction(identity, True, first, probability, outcome)


def unknown(identity: str, probability: float, outcome: Outcome = NEW) -> Prediction:
    return Prediction(identity, False, "ann", probability, outcome)


def test_auroc_counts_ties_half() -> None:
    answers = [known("ann", "ann", 0.9), known("bob", "ann", 0.4)]
    answers += [unknown("x", 0.4), unknown("y", 0.1)]
    assert auroc(answers) == (1 + 1 + 0.5 + 1) / 4


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40))
def test_auroc_is_the_area_under_the_curve(drawn: list[tuple[int, bool]]) -> None:
    answers = [known("a", "a", 0.5), unknown("x", 0.5)]
    answers += [
        known("a", "b", p / 5) if is_known else unknown("x", p / 5) for p, is_known in drawn
    ]
    across, up = roc(answers)
    assert (across[0], up[0], across[-1], up[-1]) == (0, 0, 1, 1)
    assert auroc(answers) == pytest.approx(np.trapezoid(up, across))


def test_every_known_individual_counts_alike() -> None:
    # Ann: 3 of 4 named rightly; Bob: his one query is named Ann.
    answers = [known("ann", "ann", 0.9)] * 3
    answers += [known("ann", "bob", 0.9), known("bob", "ann", 0.9), unknown("x", 0.1)]
    assert baks(answers) == (3 / 4 + 0) / 2


def test_every_unknown_individual_counts_alike() -> None:
    answers = [unknown("x", 0.1)] * 3 + [unknown("x", 0.9, KNOWN), unknown("y", 0.9, KNOWN)]
    assert baus([*answers, known("ann", "ann", 0.9)]) == (3 / 4 + 0) / 2


def test_review_counts_as_wrong_for_known_and_for_unknown() -> None:
    answers = [known("ann", "ann", 0.5, REVIEW), known("bob", "bob", 0.9)]
    answers += [unknown("x", 0.5, REVIEW), unknown("y", 0.1)]
    assert (baks(answers), baus(answers), geometric_mean(answers)) == (0.5, 0.5, 0.5)


def test_an_animal_of_which_only_the_other_flank_is_known_is_unknown_there() -> None:
    answers = [known("ann", "ann", 0.9), unknown("ann", 0.1)]
    assert (baks(answers), baus(answers)) == (1, 1)


def test_one_bad_half_makes_the_geometric_mean_bad() -> None:
    assert geometric_mean([known("ann", "ann", 0.9), unknown("x", 0.9, KNOWN)]) == 0


def test_the_identification_rate_wants_the_right_one_above_the_threshold() -> None:
    answers = [unknown("x", at / 10) for at in range(10)]
    answers += [known("a", "a", 0.95), known("a", "a", 0.85), known("a", "b", 0.99)]
    answers += [known("a", "a", 0.7)]
    # None of ten unknown ones is 1 %, so none passes; one of them is 10 %.
    assert identification_rate(answers, 0.01) == 1 / 4
    assert identification_rate(answers, 0.1) == 2 / 4
    assert identification_rate(answers, 0.9) == 3 / 4


def test_unknown_queries_that_tie_pass_together_or_not_at_all() -> None:
    answers = [unknown("x", 0.8)] * 2 + [unknown("x", 0.1)] * 8 + [known("a", "a", 0.8)]
    assert identification_rate(answers, 0.1) == 0
    assert identification_rate(answers, 0.2) == 1


def test_a_share_of_the_unknown_is_exact() -> None:
    answers = [unknown("x", at / 100) for at in range(100)] + [known("a", "a", 0.705)]
    assert identification_rate(answers, 0.28) == 0
    assert identification_rate(answers, 0.29) == 1


def test_review_is_no_false_known() -> None:
    answers = [unknown("x", 0.9, KNOWN), unknown("x", 0.5, REVIEW), unknown("y", 0.1)]
    assert false_known_rate([*answers, known("a", "a", 1)]) == 1 / 3


@pytest.mark.parametrize(("mistaken", "asked"), [(0, 100), (1, 10), (5, 50)])
def test_at_the_bound_so_few_mistakes_have_a_chance_of_one_in_twenty(
    mistaken: int, asked: int
) -> None:
    answers = [unknown("x", 0.9, KNOWN)] * mistaken + [unknown("x", 0.1)] * (asked - mistaken)
    assert binom.cdf(mistaken, asked, false_known_bound(answers)) == pytest.approx(0.05)


def test_if_every_query_is_mistaken_nothing_bounds_the_rate() -> None:
    assert false_known_bound([unknown("x", 0.9, KNOWN)] * 3) == 1


@pytest.mark.parametrize(
    ("measure", "answers"),
    [
        (auroc, [known("a", "a", 1)]),
        (roc, [unknown("x", 0)]),
        (baks, [unknown("x", 0)]),
        (baus, [known("a", "a", 1)]),
        (false_known_rate, [known("a", "a", 1)]),
        (false_known_bound, []),
    ],
)
def test_a_measure_without_its_queries_is_refused(
    measure: Callable[[Sequence[Prediction]], object], answers: list[Prediction]
) -> None:
    with pytest.raises(ValueError, match="split"):
        measure(answers)


def test_an_answer_is_what_the_registry_would_have_said() -> None:
    found = (evidence("a1", same=True), evidence("b1", same=False))
    labelled = LabelledSighting(
        "ann", known=True, evidence=found, members={"a1": "ann", "b1": "bob"}
    )
    named = predict(labelled, CURVES.pooled)
    assert (named.first, named.outcome, named.right, named.named) == ("ann", KNOWN, True, True)
    assert named.best == found[0]
    assert named.probability >= CURVES.pooled.known


def test_a_query_without_candidates_is_answered_new() -> None:
    nobody = predict(LabelledSighting("ann", known=False, evidence=(), members={}), CURVES.pooled)
    assert nobody == Prediction("ann", known=False, first="", probability=0.0, outcome=NEW)
    assert not nobody.right


def test_the_worst_mistakes_are_the_most_certain_ones() -> None:
    answers = [
        known("ann", "ann", 1.0),
        known("ann", "bob", 0.4, REVIEW),
        unknown("x", 0.9, KNOWN),
        unknown("y", 0.95, REVIEW),
        known("bob", "ann", 0.97),
        known("bob", "", 0.0, NEW),
    ]
    assert worst(answers, 10) == [4, 2, 1]
    assert worst(answers, 2) == [4, 2]

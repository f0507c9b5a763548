"""Evidence → ranked individuals → outcome."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registry.features.evidence import ENLARGED
from services.registry.identity.rank import against_each_other, combined, judge, rank
from shared.messages import (
    OUTCOME_KNOWN,
    OUTCOME_NEW,
    OUTCOME_REVIEW,
    Evidence,
    Outcome,
    RankedIndividual,
)
from tests.support.queries import CURVES, evidence, unsure

CURVE = CURVES.pooled
MEMBERS = {"a1": "A", "a2": "A", "b1": "B"}

probabilities = st.lists(st.floats(0, 1), min_size=1, max_size=8)


def test_the_best_sighting_speaks_for_its_individual() -> None:
    found = [evidence("a1", same=False), evidence("b1", same=False), evidence("a2", same=True)]
    first, second = rank(found, MEMBERS, frozenset(), CURVE)
    assert (first.individual, second.individual) == ("A", "B")
    assert first.best == evidence("a2", same=True)


def test_an_individual_taken_in_the_same_picture_is_left_out() -> None:
    found = [evidence("a1", same=True), evidence("b1", same=False)]
    assert [r.individual for r in rank(found, MEMBERS, {"A"}, CURVE)] == ["B"]


def test_a_candidate_that_is_nobodys_is_left_out() -> None:
    assert rank([evidence("stranger", same=True)], MEMBERS, frozenset(), CURVE) == []


def test_of_two_pieces_of_evidence_for_one_candidate_the_later_counts() -> None:
    found = [evidence("a1", same=True), evidence("a1", same=False)]
    (first,) = rank(found, MEMBERS, frozenset(), CURVE)
    assert first.probability < 0.01


def test_equal_probabilities_rank_by_name_whatever_the_order() -> None:
    found = [unsure("b1"), unsure("a1")]
    assert [r.individual for r in rank(found, MEMBERS, frozenset(), CURVE)] == ["A", "B"]


@pytest.mark.parametrize(
    ("probability", "outcome"),
    [
        (1.0, OUTCOME_KNOWN),
        (CURVE.known, OUTCOME_KNOWN),
        (CURVE.known - 1e-9, OUTCOME_REVIEW),
        (CURVE.new, OUTCOME_REVIEW),
        (CURVE.new - 1e-9, OUTCOME_NEW),
        (0.0, OUTCOME_NEW),
    ],
)
def test_the_thresholds_divide_the_outcomes(probability: float, outcome: Outcome) -> None:
    verdict = judge([RankedIndividual(individual="A", probability=probability)], CURVE)
    assert verdict.outcome == outcome
    assert verdict.individual == ("A" if outcome == OUTCOME_KNOWN else "")
    assert verdict.probability == probability


def test_nobody_to_rank_means_new() -> None:
    assert judge([], CURVE).outcome == OUTCOME_NEW


@given(probabilities)
def test_without_dependence_only_the_best_sighting_counts(values: list[float]) -> None:
    assert combined(values, 0.0) == pytest.approx(max(values))


@given(probabilities, st.floats(0, 0.99))
def test_more_sightings_never_lower_a_probability(values: list[float], dependence: float) -> None:
    together = combined(values, dependence)
    assert max(values) - 1e-12 <= together <= 1
    assert together <= combined([*values, 0.5], dependence) + 1e-12


def test_a_hundred_weak_sightings_do_not_outweigh_a_good_one() -> None:
    assert combined([0.1] * 100, 0.5) < 0.2


def test_what_no_promise_covers_goes_to_review_instead_of_known() -> None:
    sure = [RankedIndividual(individual="A", probability=1.0)]
    verdict = judge(sure, CURVE, guaranteed=False)
    assert (verdict.outcome, verdict.individual) == (OUTCOME_REVIEW, "")
    unlikely = [RankedIndividual(individual="A", probability=0.0)]
    assert judge(unlikely, CURVE, guaranteed=False).outcome == OUTCOME_NEW


@pytest.mark.parametrize(
    ("score", "distinctiveness", "outcome"),
    [
        (6.0, 0.5, OUTCOME_KNOWN),
        (1.0, 0.5, OUTCOME_REVIEW),
        (6.0, 0.1, OUTCOME_REVIEW),
    ],
)
def test_what_stands_out_with_less_evidence_than_right_calls_goes_to_review(
    score: float, distinctiveness: float, outcome: Outcome
) -> None:
    curve = CURVE.model_copy(update={"floors": (math.log1p(5.0), math.log1p(ENLARGED * 0.3))})
    best = Evidence(neighbour_score=score, distinctiveness=distinctiveness)
    verdict = judge([RankedIndividual(individual="A", probability=1.0, best=best)], curve)
    assert verdict.outcome == outcome
    assert verdict.individual == ("A" if outcome == OUTCOME_KNOWN else "")


def test_a_lone_individual_keeps_its_probability() -> None:
    assert against_each_other(np.array([0.3]), 1.0, 0.0) == pytest.approx([0.3])


def test_two_that_are_equally_likely_share() -> None:
    found = against_each_other(np.array([0.99, 0.99]), 1.0, 0.0)
    assert found == pytest.approx([99 / 199, 99 / 199])


@given(probabilities, st.floats(0.2, 5), st.floats(-20, 20))
def test_individuals_together_have_at_most_one_and_keep_their_order(
    values: list[float], temperature: float, unknown_logit: float
) -> None:
    alone = np.array(values)
    together = against_each_other(alone, temperature, unknown_logit)
    assert (together >= 0).all()
    assert together.sum() <= 1 + 1e-12
    assert (np.diff(together[np.argsort(alone, kind="stable")]) >= 0).all()


def test_even_certain_evidence_leaves_a_doubt_so_a_threshold_of_1_is_never_reached() -> None:
    assert against_each_other(np.array([1.0]), 1.0, 0.0)[0] < 1

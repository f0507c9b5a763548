"""Grouping metrics, worked out by hand and against their definitions."""

from dataclasses import astuple
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.clustering_metrics import (
    Decided,
    Moved,
    Pairwise,
    adjusted_rand,
    bcubed,
    pairwise,
    r1,
)

SIGHTINGS = "abcdefgh"
TRUTHS = st.dictionaries(st.sampled_from(SIGHTINGS), st.sampled_from("xyz"), min_size=1)
ASSIGNED = st.dictionaries(st.sampled_from(SIGHTINGS), st.sampled_from(["1", "2", "3", None]))


def test_pairs_are_counted_as_by_hand() -> None:
    # Claimed: ab, cd, ce, de. Real: ab, ac, bc, de. Right: ab, de.
    truth = {"a": "x", "b": "x", "c": "x", "d": "y", "e": "y"}
    assigned = {"a": "1", "b": "1", "c": "2", "d": "2", "e": "2"}
    assert pairwise(assigned, truth) == Pairwise(0.5, 0.5, 0.5)


def test_a_sighting_without_an_id_pairs_with_none() -> None:
    truth = {"a": "x", "b": "x", "c": "x"}
    scores = pairwise({"a": "1", "b": None, "c": None}, truth)
    assert scores == Pairwise(1.0, 0.0, 0.0)
    assert pairwise({"a": "1", "b": "1"}, truth) == Pairwise(1.0, 1 / 3, 0.5)


def test_a_sighting_without_a_label_does_not_count() -> None:
    assert pairwise({"a": "1", "b": "1", "c": "1"}, {"a": "x", "b": "x"}) == Pairwise(1, 1, 1)


def test_without_labels_there_are_no_scores() -> None:
    assert pairwise({"a": "1"}, {}) == Pairwise(None, None, None)
    assert r1([Decided("a", True, "1", None)], {}) is None


@given(assigned=ASSIGNED, truth=TRUTHS)
def test_scores_are_what_their_definition_says(
    assigned: dict[str, str | None], truth: dict[str, str]
) -> None:
    claimed = {
        pair
        for pair in combinations(sorted(truth), 2)
        if assigned.get(pair[0]) is not None and assigned.get(pair[0]) == assigned.get(pair[1])
    }
    real = {pair for pair in combinations(sorted(truth), 2) if truth[pair[0]] == truth[pair[1]]}
    scores = pairwise(assigned, truth)
    assert scores.precision == (len(claimed & real) / len(claimed) if claimed else 1.0)
    assert scores.recall == (len(claimed & real) / len(real) if real else 1.0)


@given(truth=TRUTHS)
def test_the_truth_itself_scores_one_under_any_names(truth: dict[str, str]) -> None:
    renamed = {sighting: f"individual {label}" for sighting, label in truth.items()}
    assert pairwise(renamed, truth) == Pairwise(1.0, 1.0, 1.0)


@given(assigned=ASSIGNED, truth=TRUTHS)
def test_exchanging_ids_and_labels_exchanges_precision_and_recall(
    assigned: dict[str, str | None], truth: dict[str, str]
) -> None:
    both = {key: value for key, value in assigned.items() if value is not None and key in truth}
    labels = {key: truth[key] for key in both}
    one, other = pairwise(both, labels), pairwise(labels, both)
    assert (one.precision, one.recall) == (other.recall, other.precision)


def test_r1_counts_only_animals_that_were_enrolled_before() -> None:
    truth = {"a": "x", "b": "y", "c": "x", "d": "y"}
    decisions = [
        Decided("a", True, "1", None),  # first of x: nothing to find
        Decided("b", True, "2", "1"),  # first of y: nothing to find
        Decided("c", True, "1", "1"),  # right
        Decided("d", True, "1", "1"),  # wrong: y is 2
    ]
    assert r1(decisions, truth) == 0.5


def test_r1_counts_a_review_as_a_query_but_not_as_enrolled() -> None:
    truth = {"a": "x", "b": "x", "c": "y", "d": "y"}
    decisions = [
        Decided("a", True, "1", None),
        Decided("b", False, None, "1"),  # right, though left to a person
        Decided("c", False, None, "1"),  # y is not enrolled
        Decided("d", False, None, "1"),  # nor yet
    ]
    assert r1(decisions, truth) == 1.0


def test_a_sighting_that_was_not_enrolled_does_not_tell_who_an_individual_is() -> None:
    truth = {"a": "x", "b": "y", "c": "y", "d": "x"}
    decisions = [
        Decided("a", True, "1", None),
        Decided("b", False, "1", "1"),  # y is not enrolled, and does not become so
        Decided("c", False, "1", "1"),
        Decided("d", True, "1", "1"),  # 1 is x still: right
    ]
    assert r1(decisions, truth) == 1.0


def test_an_individual_is_the_animal_that_most_of_its_earlier_sightings_show() -> None:
    truth = {"a": "x", "b": "y", "c": "y", "d": "y", "e": "x"}
    decisions = [
        Decided("a", True, "1", None),
        Decided("b", True, "1", "1"),  # first of y
        Decided("c", True, "1", "1"),  # 1 shows x and y: of equals, its founder's x: wrong
        Decided("d", True, "1", "1"),  # 1 shows x once, y twice: right
        Decided("e", True, "1", "1"),  # by now 1 is y: wrong
    ]
    assert r1(decisions, truth) == pytest.approx(1 / 3)


def test_a_query_without_candidates_is_a_miss() -> None:
    truth = {"a": "x", "b": "x"}
    decisions = [Decided("a", True, "1", None), Decided("b", True, "2", None)]
    assert r1(decisions, truth) == 0.0


def test_an_individual_of_unlabelled_sightings_is_never_right() -> None:
    truth = {"b": "x", "c": "x"}
    decisions = [
        Decided("a", True, "1", None),
        Decided("b", True, "2", "1"),
        Decided("c", True, "2", "1"),
    ]
    assert r1(decisions, truth) == 0.0


def test_bcubed_weighs_a_group_by_its_size_not_by_its_pairs() -> None:
    truth = {**{f"a{number}": "a" for number in range(8)}, "b0": "b", "b1": "b"}
    split = {**dict.fromkeys((f"a{number}" for number in range(8)), "1"), "b0": "2", "b1": "3"}
    assert astuple(bcubed(split, truth)) == pytest.approx((1.0, 0.9, 18 / 19))
    merged = dict.fromkeys(truth, "1")
    assert bcubed(merged, truth).precision == pytest.approx((8 * 0.8 + 2 * 0.2) / 10)


def test_a_sighting_without_an_id_is_alone() -> None:
    truth = {"a": "x", "b": "x"}
    assert astuple(bcubed({"a": "1"}, truth)) == pytest.approx((1.0, 0.5, 2 / 3))
    assert adjusted_rand({"a": None, "b": None}, truth) == 0.0
    assert adjusted_rand({"a": "1", "b": "1"}, truth) == 1.0


def test_sightings_that_moved_count_for_whom_they_belong_to_then() -> None:
    truth = {"a": "x", "b": "y", "c": "y", "d": "x"}
    decisions = [
        Decided("a", True, "1", None),
        Decided("b", True, "1", "1"),  # first of y
        Decided("c", True, "2", "1", (Moved("1", "2", ("a",)),)),  # of equals x's: wrong
        Decided("d", True, "2", "2"),  # 2 shows a of x, then c of y: of equals the first: right
    ]
    assert r1(decisions, truth) == 0.5
    merged = [*decisions[:2], Decided("c", True, "2", "1", (Moved("1", "2"),))]
    assert r1([*merged, Decided("d", True, "2", "1")], truth) == 0.0

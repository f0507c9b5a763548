"""What a person says, as changes and bonds; no ledger is needed for it."""

import numpy as np
import pytest

from services.registry.features.comparisons import COMPARED, Comparisons
from services.registry.features.evidence import ScoreStatistics
from services.registry.identity.question import Question
from services.registry.identity.view import Group, Recorded
from services.registry.review.operations import (
    OperationError,
    confirm,
    different,
    merge,
    move,
    same,
    tell_apart,
    undo,
    unidentifiable,
)
from shared.messages import Change, Decision
from tests.support.identities import CLUSTERING


def recorded(number: int, inliers: dict[int, float]) -> Recorded:
    """A sighting that was compared with earlier ones; log-odds are 2 log(1 + inliers) - 2."""
    rows = np.zeros((len(inliers), len(COMPARED)))
    rows[:, COMPARED.index("log_inliers")] = np.log1p(list(inliers.values()))
    compared = Comparisons(np.array([*inliers], dtype=np.int64), rows, ScoreStatistics.of(rows[:0]))
    return Recorded(f"s{number}", number, f"image {number}", compared)


def group(*sightings: Recorded) -> Group:
    return Group("1", len(sightings), sightings)


SPLIT = {
    "a": group(recorded(1, {}), recorded(2, {1: 50}), recorded(3, {1: 50, 2: 50})),
    "b": group(recorded(4, {1: 2, 2: 2, 3: 2}), recorded(5, {1: 2, 2: 2, 3: 2, 4: 50})),
}


def test_two_of_one_animal_bring_their_individuals_together() -> None:
    effect = same("s1", "s4", SPLIT, CLUSTERING)
    assert effect.moved == (Change(individual="b", into="a", sightings=["s4", "s5"]),)
    [constraint] = effect.constraints
    assert (constraint.one, constraint.other, constraint.same, constraint.lifted) == (
        "s1",
        "s4",
        True,
        False,
    )


def test_one_that_stands_among_strangers_moves_alone() -> None:
    unseen_models = {
        "a": group(recorded(1, {}), recorded(2, {1: 50}), recorded(3, {1: 0, 2: 0})),
        "b": group(recorded(4, {1: 0, 2: 0, 3: 50}), recorded(5, {1: 0, 2: 0, 3: 50, 4: 50})),
    }
    effect = same("s3", "s4", unseen_models, CLUSTERING)
    assert effect.moved == (Change(individual="a", into="b", sightings=["s3"]),)


def test_two_that_are_one_individual_already_are_only_bound() -> None:
    effect = same("s1", "s2", SPLIT, CLUSTERING)
    assert (len(effect.constraints), effect.moved) == (1, ())


def test_two_that_differ_part_what_the_evidence_puts_with_each() -> None:
    mixed = {
        "a": group(
            recorded(1, {}),
            recorded(2, {1: 50}),
            recorded(3, {1: 50, 2: 50}),
            recorded(4, {1: 3, 2: 3, 3: 3}),
            recorded(5, {1: 3, 2: 3, 3: 3, 4: 50}),
        )
    }
    effect = different("s1", "s4", mixed, CLUSTERING)
    assert effect.moved == (Change(individual="a", into="+0", sightings=["s4", "s5"]),)
    assert different("s4", "s1", mixed, CLUSTERING).moved == effect.moved
    assert different("s1", "s4", mixed, None).moved[0].sightings == ["s4"]


def test_what_is_moved_is_bound_to_where_it_goes_and_told_from_where_it_was() -> None:
    effect = move(["s1"], "b", SPLIT)
    assert effect.moved == (Change(individual="a", into="b", sightings=["s1"]),)
    told = {
        (constraint.one, constraint.other, constraint.same) for constraint in effect.constraints
    }
    assert told == {("s1", "s2", False), ("s1", "s3", False), ("s1", "s5", True)}


@pytest.mark.parametrize(
    ("sightings", "into", "message"),
    [
        (["s1", "s4"], "b", "several individuals"),
        (["s1"], "a", "belong to a already"),
        (["s1"], "nobody", "no individual nobody"),
        (["s4", "s5"], "", "nothing would stay behind"),
        (["s9"], "", "no sighting s9"),
    ],
)
def test_what_cant_be_moved_is_refused_with_the_reason(
    sightings: list[str], into: str, message: str
) -> None:
    with pytest.raises(OperationError, match=message):
        move(sightings, into, SPLIT)


def test_undo_takes_back_what_nobody_moved_on_since() -> None:
    said = move(["s1"], "b", SPLIT).decision("g", "1", "ada", "")
    said.number = 7
    effect = undo(said, {"s1": "b"}, {})
    assert effect.moved == (Change(individual="b", into="a", sightings=["s1"]),)
    assert effect.undoes == 7
    assert all(constraint.lifted for constraint in effect.constraints)
    assert undo(said, {"s1": "elsewhere"}, {}).moved == ()
    again = effect.decision("g", "2", "ada", "")
    there = {"s1": "a", "s2": "a", "s3": "a", "s5": "b"}
    assert [constraint.lifted for constraint in undo(again, there, {}).constraints] == [False] * 3


def test_what_was_merged_on_meanwhile_is_undone_to_what_it_became() -> None:
    said = unidentifiable(["s1"], SPLIT).decision("g", "1", "ada", "")
    [back] = undo(said, {}, {}).moved
    assert back == Change(individual="", into="a", sightings=["s1"])
    [back] = undo(said, {}, {"a": ("c", "d")}).moved
    assert back.into == "d"
    merged = same("s1", "s4", SPLIT, CLUSTERING).decision("g", "1", "ada", "")
    [back] = undo(merged, {"s4": "a", "s5": "a"}, {"b": ("a", "a")}).moved
    assert back == Change(individual="a", into="b", sightings=["s4", "s5"])


def test_no_bond_is_made_anew_with_a_sighting_that_belongs_to_nobody() -> None:
    said = different("s1", "s4", SPLIT, CLUSTERING).decision("g", "1", "ada", "")
    undone = undo(said, {"s1": "a", "s4": "b"}, {}).decision("g", "2", "ada", "")
    assert len(undone.operation.constraints) == 1
    assert undo(undone, {"s1": "a"}, {}).constraints == ()


def test_a_confirmed_individual_is_bound_together_and_told_from_its_rivals() -> None:
    questions = [Question("a", "b", 0.0, "s2", "s5"), Question("b", "c", 0.0, "s4", "s9")]
    effect = confirm("a", SPLIT, questions)
    assert effect.moved == ()
    assert [(each.one, each.other, each.same) for each in effect.constraints] == [
        ("s1", "s2", True),
        ("s1", "s3", True),
        ("s2", "s5", False),
    ]
    with pytest.raises(OperationError, match="no individual x"):
        confirm("x", SPLIT, questions)


def test_what_nobody_can_identify_leaves_its_individuals() -> None:
    effect = unidentifiable(["s1", "s4", "s2", "s1"], SPLIT)
    assert effect.moved == (
        Change(individual="a", sightings=["s1", "s2"]),
        Change(individual="b", sightings=["s4"]),
    )
    with pytest.raises(OperationError, match="no sighting s9"):
        unidentifiable(["s9"], SPLIT)


def test_what_no_person_did_is_not_undone() -> None:
    with pytest.raises(OperationError, match="entry 3 was not made by a person"):
        undo(Decision(number=3), {}, {})


def three() -> dict[str, Group]:
    """Three individuals of one, three and two sightings."""
    return {"a": group(recorded(6, {})), "b": SPLIT["a"], "c": SPLIT["b"]}


def test_several_individuals_become_the_largest_of_them() -> None:
    effect = merge(["s6", "s1", "s5"], three())
    assert effect.moved == (
        Change(individual="c", into="b", sightings=["s4", "s5"]),
        Change(individual="a", into="b", sightings=["s6"]),
    )
    assert {(each.one, each.other) for each in effect.constraints} == {("s1", "s6"), ("s1", "s5")}
    assert all(each.same for each in effect.constraints)


def test_sightings_of_one_individual_are_not_merged() -> None:
    with pytest.raises(OperationError, match="all sightings of b already"):
        merge(["s1", "s2"], three())


def test_several_individuals_are_told_apart_pair_by_pair() -> None:
    effect = tell_apart(["s6", "s1", "s5"], three())
    said = {(each.one, each.other) for each in effect.constraints}
    assert said == {("s6", "s1"), ("s6", "s5"), ("s1", "s5")}
    assert not any(each.same for each in effect.constraints)
    assert effect.moved == ()


def test_sightings_of_one_individual_are_not_told_apart() -> None:
    with pytest.raises(OperationError, match="2 of these are sightings of b"):
        tell_apart(["s6", "s1", "s2"], three())


def test_more_pairs_than_an_operation_may_have_are_refused() -> None:
    many = {f"i{number}": group(recorded(number, {})) for number in range(101)}
    with pytest.raises(OperationError, match="101 sightings make more than 5000 pairs"):
        tell_apart([f"s{number}" for number in range(101)], many)

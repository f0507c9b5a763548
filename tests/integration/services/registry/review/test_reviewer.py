"""What people say holds, whatever evidence comes later, until it is undone."""

from collections.abc import Sequence

import pytest

from services.registry.ledger.audit import check
from services.registry.ledger.ledger import Ledger
from services.registry.review.operations import OperationError
from services.registry.review.reviewer import Reviewer
from services.registry.service import RegistryService
from services.registry.settings import RegistrySettings
from shared.errors import Poison
from tests.support.identities import CALIBRATION, found
from tests.support.queries import GALLERY, NOON, ledger_at, matches, sighting


def zebra(number: int) -> str:
    return f"plains-zebra-{number:04d}"


def reviewer(ledger: Ledger, gallery: str = GALLERY) -> Reviewer:
    return Reviewer(ledger, CALIBRATION, gallery, "ada", now=lambda: NOON)


def decide(
    ledger: Ledger,
    name: str,
    alike: Sequence[str] = (),
    *,
    perhaps: Sequence[str] = (),
    gallery: str = GALLERY,
    image: str = "",
) -> None:
    """Let a sighting come that is compared with all before it, and like some of them."""
    service = RegistryService(ledger, CALIBRATION, RegistrySettings(), now=lambda: NOON)
    before = ledger.count(gallery, "enrolments")
    enrolled = [
        each.sighting_id for chunk in ledger.between(gallery, 0, before) for each, _ in chunk
    ]
    evidence = [
        found(each, number, "same" if each in alike else "doubtful" if each in perhaps else "other")
        for number, each in enumerate(enrolled, 1)
    ]
    query = sighting(name, gallery=gallery, image=image)
    [result] = service.handle([matches(query, evidence, watermark=before)])
    assert not isinstance(result, Poison)


def individuals(ledger: Ledger, gallery: str = GALLERY) -> list[list[str]]:
    return sorted(ledger.individuals(gallery).values())


def test_two_that_are_the_same_become_one_and_stay_so(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    for name in "ab":
        decide(ledger, name)
    entry = reviewer(ledger).same("1", "a", "b", "I know her")
    assert (entry.decision.actor, entry.decision.operation.reason) == ("ada", "I know her")
    assert individuals(ledger) == [["a", "b"]]
    decide(ledger, "c", alike="a")
    assert individuals(ledger) == [["a", "b", "c"]]
    assert check(ledger, GALLERY) == []


def test_two_that_differ_are_parted_and_stay_so(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    decide(ledger, "a")
    for name in "bcd":
        decide(ledger, name, alike="abc")
    assert individuals(ledger) == [["a", "b", "c", "d"]]
    reviewer(ledger).different("1", "a", "b")
    assert sorted(len(group) for group in individuals(ledger)) == [1, 3]
    assert ledger.look(GALLERY, "x", "", []).splits == 0  # evidence parted nothing
    decide(ledger, "e", alike="abcd")
    members = ledger.members(GALLERY)
    assert members["a"] != members["b"]
    assert check(ledger, GALLERY) == []


def test_a_sighting_that_was_moved_stays_where_it_was_put(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    decide(ledger, "a")
    decide(ledger, "b", alike="a")
    decide(ledger, "c")
    reviewer(ledger).move("1", ["b"], zebra(2))
    assert individuals(ledger) == [["a"], ["b", "c"]]
    reviewer(ledger).move("2", ["b"])
    assert individuals(ledger) == [["a"], ["b"], ["c"]]
    decide(ledger, "d", alike="ab")
    members = ledger.members(GALLERY)
    assert len({members[name] for name in "abc"}) == 3
    assert check(ledger, GALLERY) == []


def test_undo_restores_and_can_be_undone(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    for name in "ab":
        decide(ledger, name)
    said = reviewer(ledger).same("1", "a", "b")
    undone = reviewer(ledger).undo("2", said.decision.number)
    assert ledger.individuals(GALLERY) == {zebra(1): ["a"], zebra(2): ["b"]}
    assert undone.decision.operation.undoes == said.decision.number
    decide(ledger, "c", alike="ab")
    assert ledger.members(GALLERY)["a"] != ""
    reviewer(ledger).undo("3", undone.decision.number)
    members = ledger.members(GALLERY)
    assert members["a"] == members["b"]
    assert check(ledger, GALLERY) == []


def test_nothing_is_undone_twice(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    for name in "ab":
        decide(ledger, name)
    person = reviewer(ledger)
    said = person.different("1", "a", "b").decision.number
    person.different("2", "a", "b")
    undone = person.undo("3", said).decision.number
    with pytest.raises(OperationError, match=f"entry {said} was undone by entry {undone}"):
        person.undo("4", said)
    with pytest.raises(OperationError, match="undo that first"):
        person.same("5", "a", "b")  # it was said twice
    again = person.undo("6", undone).decision.number
    with pytest.raises(OperationError, match=f"done again by entry {again}; undo that instead"):
        person.undo("7", said)


def test_what_was_undone_holds_no_more(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    for name in "ab":
        decide(ledger, name)
    said = reviewer(ledger).different("1", "a", "b")
    reviewer(ledger).undo("2", said.decision.number)
    reviewer(ledger).same("3", "a", "b")
    assert individuals(ledger) == [["a", "b"]]


def test_an_operation_that_comes_twice_changes_nothing(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    for name in "ab":
        decide(ledger, name)
    first = reviewer(ledger).same("1", "a", "b")
    assert reviewer(ledger).same("1", "a", "b") == first
    assert reviewer(ledger).different("1", "a", "b") == first
    assert ledger.count(GALLERY, "entries") == 3


def test_what_nobody_can_identify_belongs_to_nobody_until_that_is_undone(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    decide(ledger, "a", image="herd")
    decide(ledger, "b", alike="a")
    said = reviewer(ledger).unidentifiable("1", ["a", "b"], "a blur")
    assert (ledger.individuals(GALLERY), ledger.resolve(GALLERY, zebra(1))) == ({}, "")
    assert check(ledger, GALLERY) == []
    decide(ledger, "c", alike="ab", image="herd")  # compared with nobody
    assert ledger.individuals(GALLERY) == {zebra(2): ["c"]}
    with pytest.raises(OperationError, match="no sighting a"):
        reviewer(ledger).same("2", "a", "c")
    reviewer(ledger).undo("3", said.decision.number)
    assert ledger.individuals(GALLERY) == {zebra(1): ["a", "b"], zebra(2): ["c"]}
    assert check(ledger, GALLERY) == []


def test_an_individual_that_was_confirmed_is_asked_about_no_more(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    decide(ledger, "a")
    decide(ledger, "b", perhaps="a")
    [question] = ledger.questions(GALLERY)
    assert {question.one, question.other} == {zebra(1), zebra(2)}
    said = reviewer(ledger).confirm("1", zebra(2))
    assert ledger.questions(GALLERY) == []
    decide(ledger, "c", alike="ab")
    members = ledger.members(GALLERY)
    assert members["a"] != members["b"]
    reviewer(ledger).undo("2", said.decision.number)
    reviewer(ledger).same("3", "a", "b")
    assert individuals(ledger) == [["a", "b", "c"]]


def test_an_id_stands_for_what_it_was_merged_into(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    for name in "abcd":
        decide(ledger, name)
    reviewer(ledger).same("1", "a", "b")
    reviewer(ledger).same("2", "c", "a")
    assert {ledger.resolve(GALLERY, zebra(number)) for number in (1, 2, 3)} == {zebra(1)}
    reviewer(ledger).move("3", ["d"], zebra(2))
    assert individuals(ledger) == [["a", "b", "c", "d"]]
    assert ledger.resolve(GALLERY, zebra(4)) == zebra(1)


def test_what_contradicts_an_image_or_an_answer_is_refused(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    decide(ledger, "a", image="herd")
    decide(ledger, "b", image="herd")
    decide(ledger, "c")
    with pytest.raises(OperationError, match="undo that first"):
        reviewer(ledger).same("1", "a", "b")
    reviewer(ledger).different("2", "a", "c")
    with pytest.raises(OperationError, match="undo that first"):
        reviewer(ledger).same("3", "a", "c")
    with pytest.raises(OperationError, match="no sighting x"):
        reviewer(ledger).same("4", "a", "x")
    with pytest.raises(OperationError, match="no entry 99"):
        reviewer(ledger).undo("5", 99)
    with pytest.raises(OperationError, match="not made by a person"):
        reviewer(ledger).undo("6", 1)


def test_several_become_one_in_one_entry_and_are_restored_by_one_undo(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    for name, alike in (("a", ""), ("b", ""), ("c", ""), ("d", "c"), ("e", "")):
        decide(ledger, name, alike=alike)
    before = individuals(ledger)
    entry = reviewer(ledger).merge("1", ["a", "b", "c"])
    assert individuals(ledger) == [["a", "b", "c", "d"], ["e"]]
    decide(ledger, "f", alike="a")
    assert ["a", "b", "c", "d", "f"] in individuals(ledger)
    reviewer(ledger).undo("2", entry.decision.number)
    parted = [[name for name in each if name != "f"] for each in individuals(ledger)]
    assert sorted(filter(None, parted)) == before
    assert check(ledger, GALLERY) == []


def test_those_that_were_told_apart_stay_apart(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    for name in "abc":
        decide(ledger, name, perhaps="abc")
    reviewer(ledger).tell_apart("1", ["a", "b", "c"])
    assert ledger.questions(GALLERY) == []
    decide(ledger, "d", alike="abc")
    members = ledger.members(GALLERY)
    assert len({members[name] for name in "abc"}) == 3
    with pytest.raises(OperationError, match="undo that first"):
        reviewer(ledger).merge("2", ["a", "b"])
    assert check(ledger, GALLERY) == []

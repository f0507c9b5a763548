"""What people say holds, whatever evidence comes later, until it is undone."""

import itertools
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.registry.audit import check
from services.registry.belonging import Belonging
from services.registry.entry import Entry
from services.registry.ledger import Ledger
from services.registry.operations import OperationError
from services.registry.operator import Operator
from services.registry.service import RegistryService
from services.registry.settings import RegistrySettings
from shared.errors import Poison
from tests.identities import CALIBRATION, found
from tests.queries import GALLERY, NOON, ledger_at, matches, sighting

GALLERIES = (f"default/sort-{number}" for number in itertools.count())


def zebra(number: int) -> str:
    return f"plains-zebra-{number:04d}"


def operator(ledger: Ledger, gallery: str = GALLERY) -> Operator:
    return Operator(ledger, CALIBRATION, gallery, "ada", now=lambda: NOON)


def decide(
    ledger: Ledger, name: str, alike: Sequence[str] = (), *, gallery: str = GALLERY, image: str = ""
) -> None:
    """Let a sighting come that is compared with all before it, and like some of them."""
    service = RegistryService(ledger, CALIBRATION, RegistrySettings(), now=lambda: NOON)
    before = ledger.count(gallery, "enrolments")
    enrolled = [
        each.sighting_id for chunk in ledger.between(gallery, 0, before) for each, _ in chunk
    ]
    evidence = [
        found(each, number, "same" if each in alike else "other")
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
    entry = operator(ledger).same("1", "a", "b", "I know her")
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
    operator(ledger).different("1", "a", "b")
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
    operator(ledger).move("1", ["b"], zebra(2))
    assert individuals(ledger) == [["a"], ["b", "c"]]
    operator(ledger).move("2", ["b"])
    assert individuals(ledger) == [["a"], ["b"], ["c"]]
    decide(ledger, "d", alike="ab")
    members = ledger.members(GALLERY)
    assert len({members[name] for name in "abc"}) == 3
    assert check(ledger, GALLERY) == []


def test_undo_restores_and_can_be_undone(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    for name in "ab":
        decide(ledger, name)
    said = operator(ledger).same("1", "a", "b")
    undone = operator(ledger).undo("2", said.decision.number)
    assert ledger.individuals(GALLERY) == {zebra(1): ["a"], zebra(2): ["b"]}
    assert undone.decision.operation.undoes == said.decision.number
    decide(ledger, "c", alike="ab")
    assert ledger.members(GALLERY)["a"] != ""
    operator(ledger).undo("3", undone.decision.number)
    members = ledger.members(GALLERY)
    assert members["a"] == members["b"]
    assert check(ledger, GALLERY) == []


def test_what_was_undone_holds_no_more(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    for name in "ab":
        decide(ledger, name)
    said = operator(ledger).different("1", "a", "b")
    operator(ledger).undo("2", said.decision.number)
    operator(ledger).same("3", "a", "b")
    assert individuals(ledger) == [["a", "b"]]


def test_an_operation_that_comes_twice_changes_nothing(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    for name in "ab":
        decide(ledger, name)
    first = operator(ledger).same("1", "a", "b")
    assert operator(ledger).same("1", "a", "b") == first
    assert operator(ledger).different("1", "a", "b") == first
    assert ledger.count(GALLERY, "entries") == 3


def test_what_contradicts_an_image_or_an_answer_is_refused(ledger_url: str) -> None:
    ledger = ledger_at(ledger_url)
    decide(ledger, "a", image="herd")
    decide(ledger, "b", image="herd")
    decide(ledger, "c")
    with pytest.raises(OperationError, match="undo that first"):
        operator(ledger).same("1", "a", "b")
    operator(ledger).different("2", "a", "c")
    with pytest.raises(OperationError, match="undo that first"):
        operator(ledger).same("3", "a", "c")
    with pytest.raises(OperationError, match="no sighting x"):
        operator(ledger).same("4", "a", "x")
    with pytest.raises(OperationError, match="no entry 99"):
        operator(ledger).undo("5", 99)
    with pytest.raises(OperationError, match="not made by a person"):
        operator(ledger).undo("6", 1)


@dataclass(frozen=True)
class Step:
    """One thing that happens: `what` with sightings by their place among those enrolled."""

    what: str
    one: int
    other: int


steps = st.builds(
    Step,
    what=st.sampled_from(["decide", "decide", "decide", "same", "different", "move", "undo"]),
    one=st.integers(0, 9),
    other=st.integers(0, 9),
)


class Story:
    """A gallery in which things happen, and what people said of pairs that still holds."""

    def __init__(self, ledger: Ledger, gallery: str) -> None:
        self.ledger = ledger
        self.gallery = gallery
        self.names: list[str] = []
        self.bonds: dict[frozenset[str], bool] = {}
        self._person = operator(ledger, gallery)
        self._said: list[int] = []

    def happen(self, number: int, step: Step) -> None:
        """Let one thing happen; what a person may not say is not said."""
        if step.what == "decide" or len(self.names) < 2:
            alike = [name for at, name in enumerate(self.names) if at % 3 == step.one % 3]
            decide(self.ledger, f"s{number}", alike, gallery=self.gallery)
            self.names.append(f"s{number}")
            return
        with suppress(OperationError):
            self._hear(self._say(str(number), step))

    def _say(self, identifier: str, step: Step) -> Entry:
        one, other = (self.names[at % len(self.names)] for at in (step.one, step.other))
        if step.what == "undo":
            number = self._said[step.one % len(self._said)] if self._said else 0
            return self._person.undo(identifier, number)
        if one == other:
            raise OperationError("one sighting is not two")
        if step.what == "move":
            into = self.ledger.members(self.gallery)[other]
            return self._person.move(identifier, [one], into)
        if step.what == "same":
            return self._person.same(identifier, one, other)
        return self._person.different(identifier, one, other)

    def _hear(self, entry: Entry) -> None:
        self._said.append(entry.decision.number)
        for bond in entry.decision.operation.bonds:
            pair = frozenset((bond.one, bond.other))
            if not bond.lifted:
                self.bonds[pair] = bond.same
            elif self.bonds.get(pair) == bond.same:
                del self.bonds[pair]


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(calls=st.lists(steps, max_size=14))
def test_what_people_said_last_holds_after_anything(ledger_url: str, calls: Sequence[Step]) -> None:
    story = Story(ledger_at(ledger_url), next(GALLERIES))
    for number, step in enumerate(calls):
        story.happen(number, step)
    ledger, gallery = story.ledger, story.gallery
    members = ledger.members(gallery)
    assert set(members) == set(story.names)
    for (one, other), together in ((sorted(pair), same) for pair, same in story.bonds.items()):
        if not together:
            assert members[one] != members[other]
    told = Belonging(entry.decision for entry in ledger.entries(gallery))
    assert told.members == members
    assert check(ledger, gallery) == []

"""Whatever happens, in whatever order and between whose reading and writing: the ledger is sound.

Two registries and two people work on one gallery. Any of them may be interrupted by another after
it has read and before it writes, and messages and operations come again.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.registry.identity.entry import Entry
from services.registry.identity.membership import Membership
from services.registry.identity.view import Group
from services.registry.ledger.audit import check
from services.registry.ledger.ledger import Ledger
from services.registry.ledger.store import Store
from services.registry.review.operations import OperationError
from services.registry.review.reviewer import Reviewer
from services.registry.service import RegistryService
from services.registry.settings import RegistrySettings
from shared.errors import Poison
from shared.messages import OPERATION_KIND_UNDO, Decision, Matches
from tests.support.identities import CALIBRATION, found
from tests.support.queries import NOON, ledger_at, matches, sighting

GALLERIES = (f"default/sort-{number}" for number in itertools.count())
SETTINGS = RegistrySettings(leased_wait_seconds=0, max_galleries=100_000)
OPERATIONS = ("same", "different", "move", "confirm", "unidentifiable", "undo", "repeat")


@dataclass(frozen=True)
class Step:
    """One thing that happens: `what` with sightings by their place among those there are.

    `meanwhile` happens after it has read and before it writes.
    """

    what: str
    one: int
    other: int
    meanwhile: "Step | None" = None


def steps(meanwhile: st.SearchStrategy[Step | None]) -> st.SearchStrategy[Step]:
    return st.builds(
        Step,
        what=st.sampled_from(["decide"] * 5 + ["lone", "again", *OPERATIONS]),
        one=st.integers(0, 9),
        other=st.integers(0, 9),
        meanwhile=meanwhile,
    )


class Interrupted(Ledger):
    """A ledger whose readers can be interrupted, once, before they write."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.meanwhile: Callable[[], None] | None = None

    def groups(
        self, gallery: str, individuals: Sequence[str], most: int, most_of_one: int
    ) -> dict[str, Group]:
        read = super().groups(gallery, individuals, most, most_of_one)
        happens, self.meanwhile = self.meanwhile, None
        if happens:
            happens()
        return read


class Story:
    """A gallery in which things happen, and what people said of pairs that still holds."""

    def __init__(self, url: str, gallery: str) -> None:
        self.ledger = ledger_at(url)
        self.gallery = gallery
        self.names: list[str] = []
        self._url = url
        self._said: list[int] = []
        self._sent: list[Matches] = []
        self._count = itertools.count()

    def happen(self, step: Step) -> None:
        """Let one thing happen; what a person may not say is not said."""
        ledger = Interrupted(Store(self._url, 5.0))
        between = step.meanwhile
        if between is not None:
            ledger.meanwhile = lambda: self.happen(between)
        number = next(self._count)
        if step.what in {"decide", "lone", "again"} or len(self.names) < 2:
            self._arrive(ledger, number, step)
            return
        person = Reviewer(ledger, CALIBRATION, self.gallery, "ada", now=lambda: NOON)
        with suppress(OperationError):
            self._hear(self._say(person, f"{number}", step))

    def _arrive(self, ledger: Ledger, number: int, step: Step) -> None:
        registry = RegistryService(ledger, CALIBRATION, SETTINGS, now=lambda: NOON)
        if step.what == "again" and self._sent:
            message = self._sent[step.one % len(self._sent)]
        else:
            message = self._query(f"s{number}", step)
            self._sent.append(message)
        for _ in range(8):
            [result] = registry.handle([message])
            assert not isinstance(result, Poison)
            if any(isinstance(each, Decision) for each in result):
                break
            message = self._query(message.query.sighting_id, step)
        else:
            raise AssertionError("never decided")
        if message.query.sighting_id not in self.names:
            self.names.append(message.query.sighting_id)

    def _query(self, name: str, step: Step) -> Matches:
        """A query that is compared with all before it: every third of them looks like it."""
        before = self.ledger.count(self.gallery, "enrolments")
        enrolled = [
            each.sighting_id
            for chunk in self.ledger.between(self.gallery, 0, before)
            for each, _ in chunk
        ]
        kinds = ("same", "other", "doubtful") if step.what != "lone" else ("other",)
        evidence = [
            found(each, number, kinds[(number + step.one) % len(kinds)])
            for number, each in enumerate(enrolled, 1)
        ]
        image = f"herd {step.other}" if step.other < 3 else ""
        query = sighting(name, gallery=self.gallery, image=image)
        return matches(query, evidence, watermark=before)

    def _say(self, person: Reviewer, identifier: str, step: Step) -> Entry:
        one, other = (self.names[at % len(self.names)] for at in (step.one, step.other))
        members = self.ledger.members(self.gallery)
        if step.what == "undo":
            number = self._said[step.one % len(self._said)] if self._said else 0
            return person.undo(identifier, number)
        if step.what == "repeat":
            number = self._said[step.one % len(self._said)] if self._said else 0
            entry = self.ledger.entry(self.gallery, number)
            if entry is None:
                raise OperationError("nothing was said yet")
            return person.same(entry.decision.operation.id, one, other)
        if step.what == "confirm":
            return person.confirm(identifier, members.get(one, "nobody"))
        if step.what == "unidentifiable":
            return person.unidentifiable(identifier, [one])
        if one == other:
            raise OperationError("one sighting is not two")
        if step.what == "move":
            return person.move(identifier, [one], members.get(other, ""))
        return (person.same if step.what == "same" else person.different)(identifier, one, other)

    def _hear(self, entry: Entry) -> None:
        if entry.decision.number not in self._said:
            self._said.append(entry.decision.number)

    def told(self) -> Counter[tuple[frozenset[str], bool]]:
        """Return how often people said of a pair that it is one animal, or two, by the entries."""
        constraints: Counter[tuple[frozenset[str], bool]] = Counter()
        for entry in self.ledger.entries(self.gallery):
            for constraint in entry.decision.operation.constraints:
                said = frozenset((constraint.one, constraint.other)), constraint.same
                constraints[said] = max(0, constraints[said] + (-1 if constraint.lifted else 1))
        return +constraints


def soundness(story: Story) -> None:
    """Check all that must hold of a gallery at any time."""
    ledger, gallery = story.ledger, story.gallery
    assert check(ledger, gallery) == []
    members, decided = ledger.members(gallery), ledger.decided(gallery)
    entries = list(ledger.entries(gallery))
    nobodys: set[str] = set()
    for entry in entries:
        for change in entry.decision.operation.moved:
            (nobodys.difference_update if change.into else nobodys.update)(change.sightings)
    assert set(members) == set(story.names) - nobodys
    assert set(story.names) <= set(decided)
    told = Membership(entry.decision for entry in entries)
    assert told.members == members
    there = ledger.individuals(gallery)
    for individual in told.founded:
        assert ledger.resolve(gallery, individual) in {"", *there}
        assert individual in there or ledger.successor(gallery, individual) is not None
    for pair, same in story.told():
        one, other = sorted(pair)
        if not same and {one, other} <= members.keys():
            assert members[one] != members[other]


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(calls=st.lists(steps(st.none() | steps(st.none())), max_size=14))
def test_the_ledger_is_sound_whoever_comes_between(ledger_url: str, calls: Sequence[Step]) -> None:
    story = Story(ledger_url, next(GALLERIES))
    for step in calls:
        story.happen(step)
    soundness(story)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    calls=st.lists(steps(st.none()), min_size=3, max_size=10),
    last=st.sampled_from(["same", "different", "move", "confirm", "unidentifiable"]),
    pair=st.tuples(st.integers(0, 9), st.integers(0, 9)),
)
def test_undo_restores_what_was(
    ledger_url: str, calls: Sequence[Step], last: str, pair: tuple[int, int]
) -> None:
    story = Story(ledger_url, next(GALLERIES))
    for step in calls:
        story.happen(step)
    ledger, gallery = story.ledger, story.gallery
    before = ledger.individuals(gallery), story.told()
    entries = ledger.count(gallery, "entries")
    story.happen(Step(last, *pair))
    said = ledger.entry(gallery, entries + 1)
    if said is None or not said.decision.operation.id:
        return  # it could not be said
    person = Reviewer(ledger, CALIBRATION, gallery, "ada", now=lambda: NOON)
    undone = person.undo("undo", said.decision.number)
    assert undone.decision.operation.kind == OPERATION_KIND_UNDO
    assert (ledger.individuals(gallery), story.told()) == before
    soundness(story)

"""A reviewer's operations on the ledger, each one atomic call."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime

from services.registry.calibration.calibration import Calibration, Clustering
from services.registry.identity.entry import Entry
from services.registry.identity.view import Apart, Group
from services.registry.ledger.ledger import Ledger
from services.registry.review.operations import (
    NO_INDIVIDUAL,
    Effect,
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
from shared.errors import Transient
from shared.messages import Decision, Enrolment

# An operation is retried if a decision was written after reading.
ATTEMPTS = 8
# All sightings of an individual.
ALL = 10**9


class Reviewer:
    """One reviewer at one gallery. Every method may raise Transient and OperationError.

    Repeating an `identifier` changes nothing and returns the same entry.
    """

    def __init__(
        self,
        ledger: Ledger,
        calibration: Calibration,
        gallery: str,
        actor: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._ledger = ledger
        self._calibration = calibration
        self._gallery = gallery
        self._actor = actor
        self._now = now

    def same(self, identifier: str, one: str, other: str, reason: str = "") -> Entry:
        """Record that two sightings show one animal."""
        return self._of_two(same, identifier, one, other, reason)

    def different(self, identifier: str, one: str, other: str, reason: str = "") -> Entry:
        """Record that two sightings show two animals."""
        return self._of_two(different, identifier, one, other, reason)

    def merge(self, identifier: str, sightings: Sequence[str], reason: str = "") -> Entry:
        """Merge the individuals of all these sightings."""
        return self._of_several(merge, identifier, sightings, reason)

    def tell_apart(self, identifier: str, sightings: Sequence[str], reason: str = "") -> Entry:
        """Record that these sightings all show different animals."""
        return self._of_several(tell_apart, identifier, sightings, reason)

    def move(
        self, identifier: str, sightings: Sequence[str], into: str = "", reason: str = ""
    ) -> Entry:
        """Move sightings to another individual, or to a new one."""
        into = self._ledger.resolve(self._gallery, into) if into else ""
        named = [into] if into else []
        return self._write(
            identifier, reason, sightings, named, lambda groups: move(sightings, into, groups)
        )

    def confirm(self, identifier: str, individual: str, reason: str = "") -> Entry:
        """Confirm an individual as one animal, and its rivals as others."""
        individual = self._ledger.resolve(self._gallery, individual)
        questions = [
            question
            for question in self._ledger.questions(self._gallery)
            if individual in {question.one, question.other}
        ]
        rivals = [name for question in questions for name in (question.one, question.other)]
        return self._write(
            identifier,
            reason,
            (),
            [individual, *rivals],
            lambda groups: confirm(individual, groups, questions),
        )

    def unidentifiable(self, identifier: str, sightings: Sequence[str], reason: str = "") -> Entry:
        """Record that the animal in these sightings cannot be identified."""
        return self._of_several(unidentifiable, identifier, sightings, reason)

    def undo(self, identifier: str, number: int, reason: str = "") -> Entry:
        """Undo the operation of an entry."""
        entry = self._ledger.entry(self._gallery, number)
        if entry is None:
            raise OperationError(f"gallery {self._gallery} has no entry {number}")
        operation = entry.decision.operation
        bound = [
            name
            for constraint in operation.constraints
            for name in (constraint.one, constraint.other)
        ]
        moved = [sighting for change in operation.moved for sighting in change.sightings]
        about = list(dict.fromkeys([*moved, *operation.sightings, *bound]))
        homes = {
            change.individual: (next_one, self._ledger.resolve(self._gallery, change.individual))
            for change in operation.moved
            if (next_one := self._ledger.successor(self._gallery, change.individual)) is not None
        }
        left = [change.individual for change in operation.moved]
        return self._write(
            identifier,
            reason,
            about,
            {*left, *(now for _, now in homes.values())} - {NO_INDIVIDUAL},
            lambda _: self._undone(entry.decision, about, homes),
        )

    def _undone(
        self, entry: Decision, about: Sequence[str], homes: Mapping[str, tuple[str, str]]
    ) -> Effect:
        if taken_back := self._ledger.undone(self._gallery, entry.number):
            last = taken_back[-1]
            word = "undone" if len(taken_back) % 2 else "undone and done again"
            raise OperationError(
                f"entry {entry.number} was {word} by entry {last}; undo that instead"
            )
        return undo(entry, self._ledger.belongs(self._gallery, about), homes)

    def _of_two(
        self,
        say: Callable[[str, str, Mapping[str, Group], Clustering | None], Effect],
        identifier: str,
        one: str,
        other: str,
        reason: str,
    ) -> Entry:
        clustering = self._calibration.clustering_of(self._gallery)
        return self._write(
            identifier,
            reason,
            [one, other],
            (),
            lambda groups: say(one, other, groups, clustering),
        )

    def _of_several(
        self,
        say: Callable[[Sequence[str], Mapping[str, Group]], Effect],
        identifier: str,
        sightings: Sequence[str],
        reason: str,
    ) -> Entry:
        once = list(dict.fromkeys(sightings))
        return self._write(identifier, reason, once, (), lambda groups: say(once, groups))

    def _write(
        self,
        identifier: str,
        reason: str,
        sightings: Sequence[str],
        named: Collection[str],
        effect: Callable[[Mapping[str, Group]], Effect],
    ) -> Entry:
        for _ in range(ATTEMPTS):
            done = self._ledger.look(self._gallery, f"operation:{identifier}", "", ())
            if done.entry:
                return done.entry
            owners = self._ledger.belongs(self._gallery, sightings)
            names = sorted({*owners.values(), *named})
            groups = self._ledger.groups(self._gallery, names, ALL, ALL)
            there = {name: group for name, group in groups.items() if group.count}
            decision = effect(there).decision(self._gallery, identifier, self._actor, reason)
            decision.decided_at.FromDatetime(self._now())
            answer = self._ledger.decide(
                decision,
                Enrolment(),
                None,
                revisions={name: group.revision for name, group in groups.items()},
            )
            if isinstance(answer, Entry):
                return answer
            if isinstance(answer, Apart):
                raise OperationError(
                    f"{answer.one} and {answer.other} cannot be one individual: an image shows "
                    "both, or a person said that they differ; undo that first"
                )
        raise Transient(f"gallery {self._gallery} changed {ATTEMPTS} times meanwhile; try again")

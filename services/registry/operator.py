"""A person's operations on the ledger, each one atomic call."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from services.registry.calibration import Calibration
from services.registry.entry import Entry
from services.registry.ledger import Ledger
from services.registry.operations import Effect, OperationError, different, move, same, undo
from services.registry.view import Apart, Group
from shared.errors import Transient
from shared.messages import Enrolment

# An operation is tried again when a decision came between reading and writing.
ATTEMPTS = 8
# All sightings of an individual, however many.
ALL = 10**9


class Operator:
    """One person at one gallery. Every method may raise Transient and OperationError.

    The same `identifier` a second time changes nothing and returns the same entry.
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
        """Say that two sightings show one animal."""
        clustering = self._calibration.clustering_of(self._gallery)
        return self._write(
            identifier,
            reason,
            [one, other],
            (),
            lambda groups: same(one, other, groups, clustering),
        )

    def different(self, identifier: str, one: str, other: str, reason: str = "") -> Entry:
        """Say that two sightings show two animals."""
        clustering = self._calibration.clustering_of(self._gallery)
        return self._write(
            identifier,
            reason,
            [one, other],
            (),
            lambda groups: different(one, other, groups, clustering),
        )

    def move(
        self, identifier: str, sightings: Sequence[str], into: str = "", reason: str = ""
    ) -> Entry:
        """Say that sightings belong to another individual, or to a new one."""
        named = [into] if into else []
        return self._write(
            identifier, reason, sightings, named, lambda groups: move(sightings, into, groups)
        )

    def undo(self, identifier: str, number: int, reason: str = "") -> Entry:
        """Take back what the operation of an entry said."""
        entry = self._ledger.entry(self._gallery, number)
        if entry is None:
            raise OperationError(f"gallery {self._gallery} has no entry {number}")
        operation = entry.decision.operation
        moved = [sighting for change in operation.moved for sighting in change.sightings]
        return self._write(
            identifier,
            reason,
            [*moved, *operation.sightings],
            (),
            lambda _: undo(entry.decision, self._ledger.belongs(self._gallery, moved)),
        )

    def _write(
        self,
        identifier: str,
        reason: str,
        sightings: Sequence[str],
        named: Sequence[str],
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
                    f"{answer.one} and {answer.other} can't be one individual: an image shows "
                    "both, or a person said that they differ; undo that first"
                )
        raise Transient(f"gallery {self._gallery} changed {ATTEMPTS} times meanwhile; try again")

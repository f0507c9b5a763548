"""Membership of every sighting, derived from the decisions in order."""

from collections.abc import Iterable

from shared.messages import Decision


class Membership:
    """The individuals of one gallery.

    `members`: individual of each enrolled sighting; `groups`: sightings of each existing
        individual; `founded`: every individual ever founded; `successors`: what merged ones became.
    """

    def __init__(self, decisions: Iterable[Decision] = ()) -> None:
        self.members: dict[str, str] = {}
        self.groups: dict[str, set[str]] = {}
        self.founded: list[str] = []
        self.successors: dict[str, str] = {}
        for decision in decisions:
            self.apply(decision)

    def apply(self, decision: Decision) -> None:
        """Apply the gallery's next decision."""
        for change in decision.changes:
            moved = change.sightings or sorted(self.groups.get(change.individual, ()))
            self._move(moved, change.into)
            if change.individual and not self.groups.get(change.individual):
                self.groups.pop(change.individual, None)
                self.successors[change.individual] = change.into
        if decision.enrolment_number and decision.individual:
            self._move([decision.sighting_id], decision.individual)

    def _move(self, sightings: Iterable[str], into: str) -> None:
        """Move sightings to an individual; '': to none."""
        if into and into not in self.groups:
            self.groups[into] = set()
            if self.successors.pop(into, None) is None:
                self.founded.append(into)
        for sighting in sightings:
            before = self.members.pop(sighting, None)
            if before is not None:
                self.groups[before].discard(sighting)
            if into:
                self.members[sighting] = into
                self.groups[into].add(sighting)

"""In-memory view of the ledger for pages and lists, updated entry by entry.

The ledger is append-only, so a view is updated with new entries only. All replicas compute the same
view; nothing here is stored.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from itertools import chain
from typing import Literal

from services.registry.identity.membership import Membership
from services.registry.identity.question import Question
from services.registry.ledger.individual_overview import (
    IndividualOverview,
    SightingOverview,
    sighting_overview,
)
from services.registry.ledger.reader import LedgerReader, by_worth
from shared.messages import Decision

Status = Literal["confirmed", "tentative"]


class GalleryOverview:
    """One gallery's view; not thread-safe, see `LedgerOverview`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.entries = 0
        self.sightings: dict[str, SightingOverview] = {}
        self.questions: Sequence[Question] = ()
        self._membership = Membership()
        self._individuals: dict[str, IndividualOverview] = {}
        self._history: dict[str, list[int]] = {}
        # How often people said that two sightings differ.
        self._differ: Counter[tuple[str, str]] = Counter()

    @cached_property
    def tentative(self) -> frozenset[str]:
        """Individuals that may be another one."""
        return frozenset(
            name for question in self.questions for name in (question.one, question.other)
        )

    def names(self) -> Sequence[str]:
        """Return the IDs of all individuals, sorted."""
        return sorted(self._membership.groups)

    def individuals(self) -> list[IndividualOverview]:
        """Return all individuals, by ID."""
        return [self.individual(name) for name in self.names()]

    def chosen(
        self, *, status: str = "", deployment: str = "", viewpoint: str = "", contains: str = ""
    ) -> list[IndividualOverview]:
        """Return the individuals that match all non-empty filters, by ID."""
        return [
            each
            for each in self.individuals()
            if (not status or self.status(each.id) == status)
            and (not deployment or deployment in each.deployments)
            and (not viewpoint or viewpoint in each.viewpoints)
            and each.matches(contains)
        ]

    def individual(self, name: str) -> IndividualOverview:
        """Return an existing individual.

        Raises:
            KeyError: there is none.
        """
        if name not in self._individuals:
            found = [self.sightings[each] for each in self._membership.groups[name]]
            found.sort(key=lambda each: (each.order, each.number))
            self._individuals[name] = IndividualOverview(name, found)
        return self._individuals[name]

    def became(self, name: str) -> str:
        """Return the current individual of an ID: itself, or what it was merged into.

        '' for none.
        """
        while name in self._membership.successors:
            name = self._membership.successors[name]
        return name if name in self._membership.groups else ""

    def belongs(self, sighting: str) -> str:
        """Return the individual of a sighting; '' for none."""
        return self._membership.members.get(sighting, "")

    def status(self, name: str) -> Status:
        """Return whether an individual may be another one."""
        return "tentative" if name in self.tentative else "confirmed"

    def likeness(self) -> dict[tuple[str, str], float]:
        """Return pairs of individuals that resemble each other, with probabilities.

        By the evidence of every decision, and by the open questions; without those that people said
        differ.
        """
        seen = (
            (self.belongs(each.id), self.belongs(other), probability)
            for each in self.sightings.values()
            for other, probability in each.alike
        )
        asked = ((each.one, each.other, each.probability) for each in self.questions)
        differ = {
            _pair(self.belongs(one), self.belongs(other))
            for (one, other), times in self._differ.items()
            if times > 0
        }
        found: dict[tuple[str, str], float] = {}
        for one, other, probability in chain(seen, asked):
            pair = _pair(one, other)
            if one and other and one != other and pair not in differ:
                found[pair] = max(found.get(pair, 0.0), probability)
        return found

    def history(self, name: str) -> Sequence[int]:
        """Return the numbers of entries that merged, split or reviewed an individual."""
        return self._history.get(name, ())

    def take(self, decisions: Iterable[Decision], questions: Sequence[Question]) -> None:
        """Apply the next decisions, and the questions after them."""
        for decision in decisions:
            self._take(decision)
        sizes = {name: len(members) for name, members in self._membership.groups.items()}
        self.questions = by_worth(questions, sizes)
        self.__dict__.pop("tentative", None)

    def _take(self, decision: Decision) -> None:
        touched = [decision.individual]
        for change in decision.changes:
            touched += [change.individual, change.into]
        spoken = decision.HasField("operation")
        if spoken:
            touched += [self.belongs(each) for each in decision.operation.sightings]
            for said in decision.operation.constraints:
                if not said.same:
                    self._differ[_pair(said.one, said.other)] += -1 if said.lifted else 1
        else:
            self.sightings[decision.sighting_id] = sighting_overview(decision)
        self._membership.apply(decision)
        for name in dict.fromkeys(filter(None, touched)):
            self._individuals.pop(name, None)
            if spoken or decision.changes:
                self._history.setdefault(name, []).append(decision.number)
        self.entries = decision.number


class LedgerOverview:
    """All galleries of a ledger, each updated on access."""

    def __init__(self, ledger: LedgerReader) -> None:
        self._ledger = ledger
        self._galleries: dict[str, tuple[threading.Lock, GalleryOverview]] = {}
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        """Return the names of all galleries, sorted. May raise Transient."""
        return self._ledger.galleries()

    @contextmanager
    def gallery(self, name: str) -> Iterator[GalleryOverview]:
        """Return a gallery's current view, locked for the duration of the block.

        Raises:
            Transient: the ledger does not respond.
        """
        with self._lock:
            lock, gallery = self._galleries.setdefault(
                name, (threading.Lock(), GalleryOverview(name))
            )
        with lock:
            last = self._ledger.count(name, "entries")
            if last > gallery.entries:
                decisions = self._ledger.decisions(name, gallery.entries + 1, last)
                gallery.take(decisions, self._ledger.questions(name))
            yield gallery


def _pair(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one < other else (other, one)

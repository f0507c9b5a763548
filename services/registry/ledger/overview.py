"""In-memory view of the ledger for pages and lists, updated entry by entry.

The ledger is append-only, so a view is updated with new entries only. All replicas compute the same
view; nothing here is stored.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from services.registry.identity.entry import OUTCOME_NAMES, OutcomeName
from services.registry.identity.membership import Membership
from services.registry.identity.question import Question
from services.registry.ledger.reader import LedgerReader, by_worth
from shared.messages import BlobReference, Decision, Viewpoint

Status = Literal["confirmed", "tentative"]


@dataclass(frozen=True, slots=True)
class SightingOverview:
    """One decided sighting, for lists. Times are seconds since 1970, UTC."""

    id: str
    number: int
    outcome: OutcomeName
    probability: float
    captured_at: float | None
    decided_at: float
    deployment: str
    sequence: str
    viewpoint: str
    image: str
    crop: tuple[str, str, int]
    enrolled: bool
    identity: str
    weighed: bool  # by a person's decision

    @property
    def time(self) -> float:
        """When it was taken; if unknown, when it was decided."""
        return self.decided_at if self.captured_at is None else self.captured_at

    @property
    def reference(self) -> BlobReference | None:
        """Reference of its crop, if any."""
        key, digest, size = self.crop
        return BlobReference(key=key, sha256=digest, size=size) if key else None


@dataclass(frozen=True, eq=False)
class IndividualOverview:
    """An individual and its sightings, in the order in which they were taken."""

    id: str
    sightings: Sequence[SightingOverview]

    @cached_property
    def name(self) -> str:
        """Its name; all of them if several were merged; '' for none."""
        return ", ".join(sorted({each.identity for each in self.sightings} - {""}))

    @property
    def title(self) -> str:
        """Its name, else its ID."""
        return self.name or self.id

    def matches(self, text: str) -> bool:
        """Return whether its ID or name contains a text."""
        return text.casefold() in f"{self.id}\n{self.name}".casefold()

    @cached_property
    def first(self) -> float:
        """Time of its first sighting."""
        return self.sightings[0].time

    @cached_property
    def last(self) -> float:
        """Time of its last sighting."""
        return self.sightings[-1].time

    @cached_property
    def viewpoints(self) -> Mapping[str, int]:
        """Number of sightings per viewpoint."""
        return Counter(each.viewpoint for each in self.sightings)

    @cached_property
    def deployments(self) -> Mapping[str, int]:
        """Number of sightings per camera."""
        return Counter(each.deployment for each in self.sightings)

    @cached_property
    def cover(self) -> SightingOverview:
        """The sighting that represents it: the one with the largest crop."""
        return max(self.sightings, key=lambda each: (each.crop[2], each.id))


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
            found.sort(key=lambda each: (each.time, each.number))
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


def sighting_overview(decision: Decision) -> SightingOverview:
    """Return the list view of a decision about a sighting."""
    captured = decision.captured_at.ToMicroseconds() / 1e6
    crop = decision.crop
    return SightingOverview(
        id=decision.sighting_id,
        number=decision.number,
        outcome=OUTCOME_NAMES.get(decision.outcome, "review"),
        probability=decision.probability,
        captured_at=captured if decision.HasField("captured_at") else None,
        decided_at=decision.decided_at.ToMicroseconds() / 1e6,
        deployment=decision.deployment,
        sequence=decision.sequence,
        viewpoint=viewpoint_word(decision.viewpoint),
        image=decision.image_sha256,
        crop=(crop.key, crop.sha256, crop.size),
        enrolled=bool(decision.enrolment_number),
        identity=decision.identity,
        weighed=bool(decision.ranked) and not decision.incomparable,
    )


def viewpoint_word(viewpoint: Viewpoint) -> str:
    """Return a viewpoint as a word."""
    word = Viewpoint.Name(viewpoint).removeprefix("VIEWPOINT_").lower()
    return "unknown" if word == "unspecified" else word

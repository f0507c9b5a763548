"""Checks that a ledger is consistent, key by key."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from services.registry.identity.membership import Membership
from services.registry.identity.view import image_of
from services.registry.ledger.ledger import Ledger
from shared.messages import Decision

T = TypeVar("T")


@dataclass(frozen=True)
class Snapshot:
    """All data of a gallery's ledger.

    `enrolments`: sighting by number. `members`: individual by sighting. `decided`: entry number by
        sighting. `individuals`: sightings of every existing individual; `sizes`: their stored
        number.
    """

    entries: int
    enrolled: int
    decisions: Sequence[Decision]
    enrolments: Mapping[int, str]
    members: Mapping[str, str]
    decided: Mapping[str, int]
    individuals: Mapping[str, Sequence[str]]
    sizes: Mapping[str, int]


def check(ledger: Ledger, gallery: str) -> list[str]:
    """Return every fault of a gallery's ledger as a sentence; none: it is consistent.

    Valid only while no registry writes. May raise Transient.
    """
    enrolled = ledger.count(gallery, "enrolments")
    snapshot = Snapshot(
        entries=ledger.count(gallery, "entries"),
        enrolled=enrolled,
        decisions=[entry.decision for entry in ledger.entries(gallery)],
        enrolments={
            enrolment.number: enrolment.sighting_id
            for chunk in ledger.between(gallery, 0, enrolled)
            for enrolment, _ in chunk
        },
        members=ledger.members(gallery),
        decided=ledger.decided(gallery),
        individuals=ledger.individuals(gallery),
        sizes=ledger.sizes(gallery),
    )
    return faults(snapshot)


def faults(ledger: Snapshot) -> list[str]:
    """Return every inconsistency in a snapshot as a sentence."""
    return [
        *(*_gaps(ledger), *_entries(ledger), *_enrolments(ledger)),
        *(*_individuals(ledger), *_sizes(ledger)),
    ]


def _gaps(ledger: Snapshot) -> Iterator[str]:
    numbers = {decision.number for decision in ledger.decisions}
    for number in sorted(set(range(1, ledger.entries + 1)) - numbers):
        yield f"entry {number} of {ledger.entries} is missing"
    for number in sorted(set(range(1, ledger.enrolled + 1)) - set(ledger.enrolments)):
        yield f"enrolment {number} of {ledger.enrolled} is missing"


def _entries(ledger: Snapshot) -> Iterator[str]:
    for sighting in _repeated(decision.sighting_id for decision in ledger.decisions):
        yield f"sighting {sighting} was decided more than once"
    for decision in ledger.decisions:
        index = ledger.decided.get(decision.sighting_id)
        if index is None:
            yield (
                f"entry {decision.number} is missing in the index for its sighting "
                f"{decision.sighting_id}"
            )
    known = {decision.number: decision.sighting_id for decision in ledger.decisions}
    for sighting, number in sorted(ledger.decided.items()):
        if known.get(number) != sighting:
            yield (f"sighting {sighting} is indexed as entry {number}, which is about another one")


def _enrolments(ledger: Snapshot) -> Iterator[str]:
    enrolling = [decision for decision in ledger.decisions if decision.enrolment_number]
    for number in _repeated(decision.enrolment_number for decision in enrolling):
        yield f"enrolment {number} belongs to more than one entry"
    for decision in enrolling:
        enrolled = ledger.enrolments.get(decision.enrolment_number)
        if enrolled is not None and enrolled != decision.sighting_id:
            yield (
                f"entry {decision.number} enrolled sighting {decision.sighting_id}, "
                f"but enrolment {decision.enrolment_number} is of {enrolled}"
            )
    told = Membership(ledger.decisions).members
    for sighting, individual in sorted(told.items()):
        member = ledger.members.get(sighting)
        if member != individual:
            yield (
                f"by the entries sighting {sighting} is {individual}; the members say "
                f"{member or 'nothing'}"
            )
    sightings = {decision.sighting_id for decision in enrolling}
    for sighting in sorted(set(ledger.members) - sightings):
        yield f"sighting {sighting} is a member of {ledger.members[sighting]} without an entry"
    for number, sighting in sorted(ledger.enrolments.items()):
        if sighting not in sightings:
            yield f"enrolment {number} of sighting {sighting} has no entry"


def _individuals(ledger: Snapshot) -> Iterator[str]:
    told = Membership(ledger.decisions)
    for individual in _repeated(told.founded):
        yield f"individual {individual} was founded more than once"
    for individual in sorted(set(told.groups) - set(ledger.individuals)):
        yield f"individual {individual} was founded but does not exist"
    for individual in sorted(set(ledger.individuals) - set(told.groups)):
        yield f"individual {individual} exists but no entry founded it"
    for individual in sorted(set(ledger.members.values()) - set(ledger.individuals)):
        yield f"sightings belong to individual {individual}, which does not exist"
    for individual, sightings in ledger.individuals.items():
        for sighting in _repeated(sightings):
            yield f"individual {individual} has sighting {sighting} twice"
        for sighting in sightings:
            if ledger.members.get(sighting) != individual:
                yield (
                    f"individual {individual} has sighting {sighting}, which belongs to "
                    f"{ledger.members.get(sighting) or 'nobody'}"
                )
    images = {decision.sighting_id: image_of(decision) for decision in ledger.decisions}
    seen = (
        (images[sighting], individual)
        for sighting, individual in ledger.members.items()
        if sighting in images
    )
    for image, individual in _repeated(seen):
        yield f"individual {individual} was seen twice in image {image}"


def _sizes(ledger: Snapshot) -> Iterator[str]:
    for individual, size in sorted(ledger.sizes.items()):
        has = len(ledger.individuals.get(individual, ()))
        if size != has:
            yield (f"individual {individual} has a stored size of {size} sightings, and has {has}")


def _repeated(items: Iterable[T]) -> list[T]:
    return [item for item, count in Counter(items).items() if count > 1]

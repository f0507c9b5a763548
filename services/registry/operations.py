"""What a person says about who is who, as a decision that makes it so. Pure functions.

People speak of sightings, not of IDs: an ID may be merged or split meanwhile, while two pictures
stay what they are. What they say becomes bonds between sightings, which hold whatever evidence
comes later, and changes of who belongs to whom now.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.registry.calibration import Clustering
from services.registry.judgement import members_of
from services.registry.linkage import Clusters
from services.registry.resolution import known_apart, known_together
from services.registry.view import Group
from shared.errors import ResightError
from shared.messages import (
    OPERATION_KIND_DIFFERENT,
    OPERATION_KIND_MOVE,
    OPERATION_KIND_SAME,
    OPERATION_KIND_UNDO,
    Bond,
    Change,
    Decision,
    Operation,
    OperationKind,
)

NEW = "+0"
# An individual joined in doubt is seldom more than that: what is said to be the same is merged as a
# whole, unless a sighting's standing among strangers is likelier by so much in log-odds.
RATHER_MERGED = 2.5
# So many bonds one operation may make.
MOST_BONDS = 5_000


class OperationError(ResightError):
    """What was asked for can't be done; the text says why and what to do instead."""


@dataclass(frozen=True)
class Effect:
    """What an operation changes: bonds between sightings, and who moves where."""

    kind: OperationKind
    sightings: tuple[str, ...]
    bonds: tuple[Bond, ...]
    moved: tuple[Change, ...]
    undoes: int = 0

    def decision(self, gallery: str, identifier: str, actor: str, reason: str) -> Decision:
        """Return it as the ledger takes it."""
        operation = Operation(
            id=identifier,
            kind=self.kind,
            sightings=self.sightings,
            bonds=self.bonds,
            moved=self.moved,
            undoes=self.undoes,
            reason=reason,
        )
        return Decision(
            gallery=gallery,
            sighting_id=f"operation:{identifier}",
            actor=actor,
            operation=operation,
            changes=self.moved,
        )


def same(
    one: str, other: str, groups: Mapping[str, Group], clustering: Clustering | None
) -> Effect:
    """Say that two sightings show one animal: their individuals become one, the larger.

    Unless it is likelier that one of the two was put among strangers: then it moves alone.
    `groups` has both individuals, whole.
    """
    first, second = _owner(one, groups), _owner(other, groups)
    bond = Bond(one=one, other=other, same=True)
    moved: tuple[Change, ...] = ()
    if first != second:
        kept, gone = sorted((first, second), key=lambda name: (-groups[name].count, name))
        moved = (_moved(gone, kept, [each.sighting for each in groups[gone].sightings]),)
        alone = clustering and _stranger(one, other, groups[first], groups[second], clustering)
        if alone == one:
            moved = (_moved(first, second, [one]),)
        elif alone == other:
            moved = (_moved(second, first, [other]),)
    return Effect(OPERATION_KIND_SAME, (one, other), (bond,), moved)


def different(
    one: str, other: str, groups: Mapping[str, Group], clustering: Clustering | None
) -> Effect:
    """Say that two sightings show two animals; if they belong to one individual, it is parted.

    Each of its sightings goes with the one of the two that the evidence puts it with. The larger
    part keeps the ID.
    """
    first, second = _owner(one, groups), _owner(other, groups)
    bond = Bond(one=one, other=other)
    moved: tuple[Change, ...] = ()
    if first == second:
        leaving = _parted(one, other, groups[first], clustering)
        moved = (_moved(first, NEW, leaving),)
    return Effect(OPERATION_KIND_DIFFERENT, (one, other), (bond,), moved)


def move(sightings: Sequence[str], into: str, groups: Mapping[str, Group]) -> Effect:
    """Say that sightings of one individual belong to another, or ('') to a new one.

    They differ from those that stay behind, and are the same as the newest of those they join.
    """
    owners = {_owner(sighting, groups) for sighting in sightings}
    if len(owners) != 1:
        raise OperationError("these sightings belong to several individuals; move those of one")
    [source] = owners
    if into == source:
        raise OperationError(f"these sightings belong to {into} already")
    if into and into not in groups:
        raise OperationError(f"there is no individual {into}")
    leaving = set(sightings)
    staying = [each for each in groups[source].sightings if each.sighting not in leaving]
    if not staying and not into:
        raise OperationError(f"these are all sightings of {source}; nothing would stay behind")
    if len(leaving) * len(staying) > MOST_BONDS:
        raise OperationError(
            f"{len(leaving)} sightings told from {len(staying)} make more than {MOST_BONDS} pairs; "
            "move fewer at a time"
        )
    bonds = [Bond(one=sighting, other=each.sighting) for sighting in sightings for each in staying]
    bonds += [
        Bond(one=each.sighting, other=sighting, same=True, lifted=True)
        for each in staying
        for sighting in sorted(each.same & leaving)
    ]
    if into:
        newest = groups[into].sightings[-1].sighting
        bonds += [
            Bond(one=each.sighting, other=sighting, lifted=True)
            for each in groups[into].sightings
            for sighting in sorted(each.differ & leaving)
        ]
        bonds += [Bond(one=sighting, other=newest, same=True) for sighting in sightings]
    moved = (_moved(source, into or NEW, sightings),)
    return Effect(OPERATION_KIND_MOVE, tuple(sightings), tuple(bonds), moved)


def undo(entry: Decision, belongs: Mapping[str, str]) -> Effect:
    """Take back what an operation said: its bonds, and its moves as far as nobody moved on since.

    `belongs` gives the individual of every sighting that it moved.
    """
    operation = entry.operation
    if not operation.id:
        raise OperationError(
            f"entry {entry.number} was not made by a person; say what is right instead"
        )
    moved = []
    for change in reversed(operation.moved):
        back = [name for name in change.sightings if belongs.get(name) == change.into]
        if back:
            moved.append(_moved(change.into, change.individual, back))
    bonds = tuple(
        Bond(one=bond.one, other=bond.other, same=bond.same, lifted=not bond.lifted)
        for bond in operation.bonds
    )
    return Effect(
        OPERATION_KIND_UNDO, tuple(operation.sightings), bonds, tuple(moved), entry.number
    )


def _owner(sighting: str, groups: Mapping[str, Group]) -> str:
    for name, group in groups.items():
        if any(each.sighting == sighting for each in group.sightings):
            return name
    raise OperationError(f"there is no sighting {sighting} in this gallery")


def _stranger(one: str, other: str, of_one: Group, of_other: Group, clustering: Clustering) -> str:
    """Return which of two sightings of one animal is among strangers; '': neither.

    Either the rest of both individuals is one animal, or one of the two does not belong to
    the rest of its own: whichever the evidence speaks for most.
    """
    members = [*members_of("one", of_one), *members_of("other", of_other)]
    groups = [0 if each.individual == "one" else 1 for each in members]
    names = [each.sighting for each in members]
    places = [names.index(one), names.index(other)]
    groups[places[0]], groups[places[1]] = 2, 3
    if not {0, 1} <= set(groups):
        return ""
    matrix = clustering.affinity.matrix({each.number: each.comparisons for each in members})
    clusters = Clusters(matrix, together=groups)
    rests = [groups.index(0), groups.index(1)]

    def log_odds(left: int, right: int) -> float:
        if right not in clusters.compared(left):
            return 0.0
        links = clusters.links(np.array([left]), np.array([right]))
        return float(clustering.linkage.weights.log_odds(links)[0])

    found = {
        "": log_odds(*rests) + RATHER_MERGED,
        one: -log_odds(places[0], rests[0]),
        other: -log_odds(places[1], rests[1]),
    }
    return max(found, key=lambda name: found[name])


def _parted(one: str, other: str, group: Group, clustering: Clustering | None) -> Collection[str]:
    """Return the smaller part of an individual, when two of its sightings are two animals."""
    names = [each.sighting for each in group.sightings]
    if clustering is None:
        return [other]
    members = members_of("", group)
    apart = known_apart(members, ())
    left, right = names.index(one), names.index(other)
    apart[left, right] = apart[right, left] = True
    matrix = clustering.affinity.matrix({each.number: each.comparisons for each in members})
    clusters = Clusters(matrix, apart, known_together(members, (), apart))
    clusters.agglomerate(clustering.linkage.weights, -np.inf)
    labels = clusters.labels()
    with_other = [name for name, label in zip(names, labels, strict=True) if label == labels[right]]
    with_one = [name for name, label in zip(names, labels, strict=True) if label == labels[left]]
    return with_other if len(with_other) <= len(names) - len(with_other) else with_one


def _moved(individual: str, into: str, sightings: Collection[str]) -> Change:
    return Change(individual=individual, into=into, sightings=sightings)

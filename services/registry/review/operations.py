"""Turns a reviewer's operation into a decision. Pure functions.

Operations refer to sightings, not individuals, because an ID may be merged or split meanwhile. They
become constraints between sightings, which override later evidence, and changes of membership.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from services.registry.calibration.calibration import Clustering
from services.registry.identity.question import Question
from services.registry.identity.view import Group
from services.registry.review.splitting import outlier, split_parts
from shared.errors import ResightError
from shared.messages import (
    OPERATION_KIND_CONFIRM,
    OPERATION_KIND_DIFFERENT,
    OPERATION_KIND_MERGE,
    OPERATION_KIND_MOVE,
    OPERATION_KIND_SAME,
    OPERATION_KIND_TELL_APART,
    OPERATION_KIND_UNDO,
    OPERATION_KIND_UNIDENTIFIABLE,
    Change,
    Constraint,
    Decision,
    Operation,
    OperationKind,
)

NEW, NO_INDIVIDUAL = "+0", ""
# Maximum number of constraints per operation.
MOST_CONSTRAINTS = 5_000


class OperationError(ResightError):
    """An operation is impossible; the text says why, and what to do instead."""


@dataclass(frozen=True)
class Effect:
    """The effect of an operation: constraints between sightings, and moves."""

    kind: OperationKind
    sightings: tuple[str, ...]
    constraints: tuple[Constraint, ...]
    moved: tuple[Change, ...]
    undoes: int = 0

    def decision(self, gallery: str, identifier: str, actor: str, reason: str) -> Decision:
        """Return it as a decision."""
        operation = Operation(
            id=identifier,
            kind=self.kind,
            sightings=self.sightings,
            constraints=self.constraints,
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
    """Two sightings show one animal: their individuals are merged into the larger.

    If it is more likely that one of the two is in the wrong individual, only that one moves.
    `groups` has both individuals, complete.
    """
    first, second = _owner(one, groups), _owner(other, groups)
    constraint = Constraint(one=one, other=other, same=True)
    moved: tuple[Change, ...] = ()
    if first != second:
        kept, gone = sorted((first, second), key=lambda name: (-groups[name].count, name))
        moved = (_moved(gone, kept, [each.sighting for each in groups[gone].sightings]),)
        alone = clustering and outlier(one, other, groups[first], groups[second], clustering)
        if alone == one:
            moved = (_moved(first, second, [one]),)
        elif alone == other:
            moved = (_moved(second, first, [other]),)
    return Effect(OPERATION_KIND_SAME, (one, other), (constraint,), moved)


def different(
    one: str, other: str, groups: Mapping[str, Group], clustering: Clustering | None
) -> Effect:
    """Two sightings show two animals; if they share an individual, it is split.

    Each of its sightings goes with the one that evidence prefers. The larger part keeps the ID.
    """
    first, second = _owner(one, groups), _owner(other, groups)
    constraint = Constraint(one=one, other=other)
    moved: tuple[Change, ...] = ()
    if first == second:
        leaving = split_parts(one, other, groups[first], clustering)
        moved = (_moved(first, NEW, leaving),)
    return Effect(OPERATION_KIND_DIFFERENT, (one, other), (constraint,), moved)


def merge(sightings: Sequence[str], groups: Mapping[str, Group]) -> Effect:
    """Sightings show one animal: all their individuals are merged into the largest.

    Unlike `same`, no sighting is taken for an outlier: the person means the individuals. `groups`
    has all of them, complete.
    """
    owners = _owners(sightings, groups)
    if len(owners) < 2:
        raise OperationError(f"these are all sightings of {next(iter(owners))} already")
    kept, *gone = sorted(owners, key=lambda name: (-groups[name].count, name))
    constraints = [
        Constraint(one=owners[kept], other=sighting, same=True)
        for sighting in sightings
        if sighting != owners[kept]
    ]
    moved = [
        _moved(name, kept, [each.sighting for each in groups[name].sightings]) for name in gone
    ]
    return Effect(OPERATION_KIND_MERGE, tuple(sightings), tuple(constraints), tuple(moved))


def tell_apart(sightings: Sequence[str], groups: Mapping[str, Group]) -> Effect:
    """Sightings of several individuals all show different animals."""
    owners = _owners(sightings, groups)
    for name in owners:
        shared = [each.sighting for each in groups[name].sightings if each.sighting in sightings]
        if len(shared) > 1:
            raise OperationError(
                f"{len(shared)} of these are sightings of {name}; choose one, or split it first"
            )
    pairs = list(combinations(sightings, 2))
    if len(pairs) > MOST_CONSTRAINTS:
        raise OperationError(
            f"{len(sightings)} sightings make more than {MOST_CONSTRAINTS} pairs; choose fewer at "
            "a time"
        )
    constraints = tuple(Constraint(one=one, other=other) for one, other in pairs)
    return Effect(OPERATION_KIND_TELL_APART, tuple(sightings), constraints, ())


def move(sightings: Sequence[str], into: str, groups: Mapping[str, Group]) -> Effect:
    """Move sightings of one individual to another; '': to a new one.

    They differ from those that stay, and are the same as the newest of the target.
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
    if len(leaving) * len(staying) > MOST_CONSTRAINTS:
        raise OperationError(
            f"{len(leaving)} sightings separated from {len(staying)} make more than "
            f"{MOST_CONSTRAINTS} "
            "pairs; move fewer at a time"
        )
    constraints = [
        Constraint(one=sighting, other=each.sighting) for sighting in sightings for each in staying
    ]
    constraints += [
        Constraint(one=each.sighting, other=sighting, same=True, lifted=True)
        for each in staying
        for sighting in sorted(each.same)
        if sighting in leaving
    ]
    if into:
        newest = groups[into].sightings[-1].sighting
        constraints += [
            Constraint(one=each.sighting, other=sighting, lifted=True)
            for each in groups[into].sightings
            for sighting in sorted(each.differ)
            if sighting in leaving
        ]
        constraints += [Constraint(one=sighting, other=newest, same=True) for sighting in sightings]
    moved = (_moved(source, into or NEW, sightings),)
    return Effect(OPERATION_KIND_MOVE, tuple(sightings), tuple(constraints), moved)


def confirm(
    individual: str, groups: Mapping[str, Group], questions: Collection[Question]
) -> Effect:
    """Confirm an individual as one animal, and its rivals as others.

    `groups` has it, complete, and the rivals; `questions` are all open questions.
    """
    if individual not in groups:
        raise OperationError(f"there is no individual {individual}")
    first, *rest = [each.sighting for each in groups[individual].sightings]
    constraints = [Constraint(one=first, other=sighting, same=True) for sighting in rest]
    constraints += [
        Constraint(one=question.sighting_of_one, other=question.sighting_of_other)
        for question in questions
        if individual in {question.one, question.other}
        and {question.one, question.other} <= groups.keys()
    ]
    return Effect(OPERATION_KIND_CONFIRM, (first, *rest), tuple(constraints), ())


def unidentifiable(sightings: Sequence[str], groups: Mapping[str, Group]) -> Effect:
    """Remove sightings from their individuals as unidentifiable."""
    found: dict[str, list[str]] = {}
    for sighting in dict.fromkeys(sightings):
        found.setdefault(_owner(sighting, groups), []).append(sighting)
    moved = tuple(_moved(individual, NO_INDIVIDUAL, those) for individual, those in found.items())
    return Effect(OPERATION_KIND_UNIDENTIFIABLE, tuple(sightings), (), moved)


def undo(
    entry: Decision,
    belongs: Mapping[str, str],
    successors: Mapping[str, tuple[str, str]],
) -> Effect:
    """Undo an operation: its constraints, and its moves unless sightings were moved later.

    `belongs` gives the individual of every sighting concerned. `successors` gives, for each former
    individual of these, what it was merged into, and what that became. If this operation merged it,
    it is restored; otherwise its sightings go to the successor.
    """
    operation = entry.operation
    if not operation.id:
        raise OperationError(
            f"entry {entry.number} was not made by a person; record the right answer instead"
        )
    moved = []
    for change in reversed(operation.moved):
        back = [
            name for name in change.sightings if belongs.get(name, NO_INDIVIDUAL) == change.into
        ]
        next_one, now = successors.get(change.individual, (change.into, change.individual))
        home = change.individual if next_one == change.into else now
        if back and home != change.into:
            moved.append(_moved(change.into, home, back))
    there = {*belongs, *(name for change in moved for name in change.sightings if change.into)}
    constraints = tuple(
        Constraint(
            one=constraint.one,
            other=constraint.other,
            same=constraint.same,
            lifted=not constraint.lifted,
        )
        for constraint in operation.constraints
        if not constraint.lifted or {constraint.one, constraint.other} <= there
    )
    return Effect(
        OPERATION_KIND_UNDO, tuple(operation.sightings), constraints, tuple(moved), entry.number
    )


def _owners(sightings: Sequence[str], groups: Mapping[str, Group]) -> dict[str, str]:
    """Return the individuals of some sightings, each with the first of these sightings."""
    owners: dict[str, str] = {}
    for sighting in sightings:
        owners.setdefault(_owner(sighting, groups), sighting)
    return owners


def _owner(sighting: str, groups: Mapping[str, Group]) -> str:
    for name, group in groups.items():
        if any(each.sighting == sighting for each in group.sightings):
            return name
    raise OperationError(
        f"there is no sighting {sighting} with an individual in this gallery; undo restores one "
        "that was marked unidentifiable"
    )


def _moved(individual: str, into: str, sightings: Collection[str]) -> Change:
    return Change(individual=individual, into=into, sightings=sightings)

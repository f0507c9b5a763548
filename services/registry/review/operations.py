"""What a person says about who is who, as a decision that makes it so. Pure functions.

People speak of sightings, not of IDs: an ID may be merged or split meanwhile, while two pictures
stay what they are. What they say becomes bonds between sightings, which hold whatever evidence
comes later, and changes of who belongs to whom now.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from services.registry.calibration.calibration import Clustering
from services.registry.identity.question import Question
from services.registry.identity.view import Group
from services.registry.review.splitting import outlier, split_parts
from shared.errors import ResightError
from shared.messages import (
    OPERATION_KIND_CONFIRM,
    OPERATION_KIND_DIFFERENT,
    OPERATION_KIND_MOVE,
    OPERATION_KIND_SAME,
    OPERATION_KIND_UNDO,
    OPERATION_KIND_UNIDENTIFIABLE,
    Change,
    Constraint,
    Decision,
    Operation,
    OperationKind,
)

NEW, NOBODY = "+0", ""
# So many bonds one operation may make.
MOST_BONDS = 5_000


class OperationError(ResightError):
    """What was asked for can't be done; the text says why and what to do instead."""


@dataclass(frozen=True)
class Effect:
    """What an operation changes: bonds between sightings, and who moves where."""

    kind: OperationKind
    sightings: tuple[str, ...]
    constraints: tuple[Constraint, ...]
    moved: tuple[Change, ...]
    undoes: int = 0

    def decision(self, gallery: str, identifier: str, actor: str, reason: str) -> Decision:
        """Return it as the ledger takes it."""
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
    """Say that two sightings show one animal: their individuals become one, the larger.

    Unless it is likelier that one of the two was put among strangers: then it moves alone.
    `groups` has both individuals, whole.
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
    """Say that two sightings show two animals; if they belong to one individual, it is parted.

    Each of its sightings goes with the one of the two that the evidence puts it with. The larger
    part keeps the ID.
    """
    first, second = _owner(one, groups), _owner(other, groups)
    constraint = Constraint(one=one, other=other)
    moved: tuple[Change, ...] = ()
    if first == second:
        leaving = split_parts(one, other, groups[first], clustering)
        moved = (_moved(first, NEW, leaving),)
    return Effect(OPERATION_KIND_DIFFERENT, (one, other), (constraint,), moved)


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
    """Say that all sightings of an individual show one animal, and those of its rivals others.

    `groups` has it, whole, and the rivals; `questions` are all questions that are open.
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
    """Say that nobody can tell who these sightings show: they belong to nobody any more."""
    owners: dict[str, list[str]] = {}
    for sighting in dict.fromkeys(sightings):
        owners.setdefault(_owner(sighting, groups), []).append(sighting)
    moved = tuple(_moved(individual, NOBODY, found) for individual, found in owners.items())
    return Effect(OPERATION_KIND_UNIDENTIFIABLE, tuple(sightings), (), moved)


def undo(
    entry: Decision,
    belongs: Mapping[str, str],
    successors: Mapping[str, tuple[str, str]],
) -> Effect:
    """Take back what an operation said: its bonds, and its moves as far as nobody moved on since.

    `belongs` gives the individual of every sighting that it is about or that it moved. `successors`
    gives, of each individual that it took sightings from and that is gone, what it was merged
    into, and what that has become. Gone by this very operation it comes back; else they go there.
    """
    operation = entry.operation
    if not operation.id:
        raise OperationError(
            f"entry {entry.number} was not made by a person; say what is right instead"
        )
    moved = []
    for change in reversed(operation.moved):
        back = [name for name in change.sightings if belongs.get(name, NOBODY) == change.into]
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


def _owner(sighting: str, groups: Mapping[str, Group]) -> str:
    for name, group in groups.items():
        if any(each.sighting == sighting for each in group.sightings):
            return name
    raise OperationError(
        f"there is no sighting {sighting} with an individual in this gallery; one that was marked "
        "unidentifiable comes back by an undo"
    )


def _moved(individual: str, into: str, sightings: Collection[str]) -> Change:
    return Change(individual=individual, into=into, sightings=sightings)

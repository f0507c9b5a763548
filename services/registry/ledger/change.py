"""Arguments of `ledger.lua` for a decision's changes."""

from collections.abc import Mapping, Sequence

from services.registry.identity.question import Question
from shared.messages import Decision


def founds_individuals(decision: Decision) -> int:
    """Return how many individuals a decision founds."""
    membership = [decision.individual, *(change.into for change in decision.changes)]
    return len({name for name in membership if name.startswith("+")})


def arguments(
    decision: Decision, revisions: Mapping[str, str], questions: Sequence[Question]
) -> list[str | int]:
    """Return a decision's changes, and the revisions that they depend on, as arguments."""
    merges = [change for change in decision.changes if not change.sightings]
    splits = [change for change in decision.changes if change.sightings]
    found: list[str | int] = [len(revisions)]
    for individual, revision in revisions.items():
        found += [individual, revision]
    found.append(len(merges))
    for change in merges:
        found += [change.individual, change.into]
    found.append(len(splits))
    for change in splits:
        found += [change.individual, change.into, len(change.sightings), *change.sightings]
    constraints = decision.operation.constraints
    found.append(len(constraints))
    for constraint in constraints:
        kind = "-" * constraint.lifted + ("=" if constraint.same else "!")
        found += [kind, constraint.one, constraint.other]
    found.append(len(questions))
    for question in questions:
        sightings = f"{question.sighting_of_one} {question.sighting_of_other}"
        found += [question.one, question.other, f"{question.log_odds:.3f} {sightings}"]
    found.append(decision.operation.undoes)
    return found

"""A decision's changes as `ledger.lua` reads them."""

from collections.abc import Mapping, Sequence

from services.registry.identity.question import Doubt
from shared.messages import Decision


def founded(decision: Decision) -> int:
    """Return how many individuals a decision founds."""
    belonging = [decision.individual, *(change.into for change in decision.changes)]
    return len({name for name in belonging if name.startswith("+")})


def arguments(
    decision: Decision, revisions: Mapping[str, str], doubts: Sequence[Doubt]
) -> list[str | int]:
    """Return a decision's changes, and the revisions that they rest on, as a call takes them."""
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
    bonds = decision.operation.bonds
    found.append(len(bonds))
    for bond in bonds:
        kind = "-" * bond.lifted + ("=" if bond.same else "!")
        found += [kind, bond.one, bond.other]
    found.append(len(doubts))
    for doubt in doubts:
        sightings = f"{doubt.sighting_of_one} {doubt.sighting_of_other}"
        found += [doubt.one, doubt.other, f"{doubt.log_odds:.3f} {sightings}"]
    found.append(decision.operation.undoes)
    return found

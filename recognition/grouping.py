"""How well sightings were put together: pairs under one ID, and R-1 as decisions were made."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Pairwise:
    """Precision, recall and F1 over pairs of sightings, each 0..1; None without labels."""

    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True)
class Decided:
    """What was decided on one sighting.

    `enrolled`: it became part of `individual`'s gallery. `ranked_first` is the most probable
    individual of those known before, None when there was none.
    """

    sighting: str
    enrolled: bool
    individual: str | None
    ranked_first: str | None


def pairwise(assigned: Mapping[str, str | None], truth: Mapping[str, str]) -> Pairwise:
    """Compare the IDs that sightings got with their true labels, pair by pair.

    Precision is the share of the pairs under one ID that show one animal; recall the
    share of the pairs that show one animal that are under one ID. A sighting without an ID,
    or that `assigned` does not name, pairs with none; one without a label does not count.
    Where no pair is claimed precision is 1, where none exists recall is 1.
    """
    if not truth:
        return Pairwise(None, None, None)
    given = {sighting: assigned.get(sighting) for sighting in truth}
    claimed = _pairs(individual for individual in given.values() if individual is not None)
    real = _pairs(truth.values())
    right = _pairs(
        (individual, truth[sighting])
        for sighting, individual in given.items()
        if individual is not None
    )
    precision = right / claimed if claimed else 1.0
    recall = right / real if real else 1.0
    total = precision + recall
    return Pairwise(precision, recall, 2 * precision * recall / total if total else 0.0)


def r1(decisions: Sequence[Decided], truth: Mapping[str, str]) -> float | None:
    """Return how often the right individual was ranked first, when there was a right one.

    Counted are the sightings whose animal was enrolled already when they came; `decisions`
    are in the order in which they were made. An individual is taken for the animal that most
    of its sightings enrolled before show; of equals, for the one enrolled first.

    Returns None when no sighting counts, as without labels.
    """
    shown: dict[str, Counter[str]] = {}
    enrolled: set[str] = set()
    counted = right = 0
    for decision in decisions:
        label = truth.get(decision.sighting)
        if label is None:
            continue
        if label in enrolled:
            counted += 1
            labels = shown.get(decision.ranked_first or "")
            # `most_common` keeps the order of insertion among equals.
            right += labels is not None and labels.most_common(1)[0][0] == label
        if decision.enrolled and decision.individual is not None:
            enrolled.add(label)
            shown.setdefault(decision.individual, Counter())[label] += 1
    return right / counted if counted else None


def _pairs(groups: Iterable[object]) -> int:
    """Return how many pairs lie within one group, from the group of each member."""
    return sum(size * (size - 1) // 2 for size in Counter(groups).values())

"""Clustering quality: over pairs, over sightings, and R-1 at the time of each decision."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sklearn.metrics import adjusted_rand_score


@dataclass(frozen=True)
class Pairwise:
    """Precision, recall and F1 over pairs of sightings, each 0..1; None without labels."""

    precision: float | None
    recall: float | None
    f1: float | None


@dataclass(frozen=True)
class Moved:
    """Sightings that moved to another individual: `sightings`, or all of it."""

    individual: str
    into: str
    sightings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decided:
    """What was decided about one sighting.

    `enrolled`: it became part of `individual`'s gallery. `ranked_first` is the most probable
        earlier individual, None if there was none. `moved`: changes of others.
    """

    sighting: str
    enrolled: bool
    individual: str | None
    ranked_first: str | None
    moved: tuple[Moved, ...] = ()


def pairwise(assigned: Mapping[str, str | None], truth: Mapping[str, str]) -> Pairwise:
    """Compare sightings' IDs with their true labels, pair by pair.

    Precision: share of the pairs under one ID that show one animal. Recall: share of the pairs of
        one animal under one ID. A sighting without an ID, or not in `assigned`, is in no pair;
        unlabelled ones do not count. Without claimed pairs precision is 1, without true ones recall
        is 1.
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


def bcubed(assigned: Mapping[str, str | None], truth: Mapping[str, str]) -> Pairwise:
    """Compare sightings' IDs with their true labels, sighting by sighting.

    B-cubed (Bagga and Baldwin, 1998; Amigó et al., 2009): of the sightings under one's ID, the
    share that shows its animal, and of those of its animal the share under its ID, both averaged
    over sightings. Unlike pairs, a large group has no more than its proportional weight. A sighting
    without an ID is alone; unlabelled ones do not count.
    """
    if not truth:
        return Pairwise(None, None, None)
    given = {sighting: assigned.get(sighting) or f"alone {sighting}" for sighting in truth}
    claimed, real = Counter(given.values()), Counter(truth.values())
    both = Counter((given[sighting], label) for sighting, label in truth.items())
    count = len(truth)
    precision = sum(size * size / claimed[name] for (name, _), size in both.items()) / count
    recall = sum(size * size / real[label] for (_, label), size in both.items()) / count
    return Pairwise(precision, recall, 2 * precision * recall / (precision + recall))


def adjusted_rand(assigned: Mapping[str, str | None], truth: Mapping[str, str]) -> float | None:
    """Return the adjusted Rand index (Hubert and Arabie, 1985); 0 is what chance gives, 1 perfect.

    A sighting without an ID is alone. None without labels.
    """
    if not truth:
        return None
    given = [assigned.get(sighting) or f"alone {sighting}" for sighting in truth]
    return float(adjusted_rand_score(list(truth.values()), given))


def r1(decisions: Sequence[Decided], truth: Mapping[str, str]) -> float | None:
    """Return how often the right individual was ranked first, if it was known.

    Only sightings whose animal was already enrolled count; `decisions` are in order. An
    individual's animal is that of most sightings enrolled in it before; of equals, the one enrolled
    first.

    Returns None when no sighting counts, as without labels.
    """
    shown: dict[str, dict[str, str]] = {}  # individual -> sighting -> label
    enrolled: set[str] = set()
    counted = right = 0
    for decision in decisions:
        label = truth.get(decision.sighting)
        if label is not None and label in enrolled:
            counted += 1
            labels = Counter(shown.get(decision.ranked_first or "", {}).values())
            # `most_common` keeps the order of insertion among equals.
            right += bool(labels) and labels.most_common(1)[0][0] == label
        for move in decision.moved:
            source = shown.get(move.individual, {})
            for sighting in move.sightings or tuple(source):
                if sighting in source:
                    shown.setdefault(move.into, {})[sighting] = source.pop(sighting)
        if label is not None and decision.enrolled and decision.individual is not None:
            enrolled.add(label)
            shown.setdefault(decision.individual, {})[decision.sighting] = label
    return right / counted if counted else None


def _pairs(groups: Iterable[object]) -> int:
    """Return how many pairs lie within one group, from the group of each member."""
    return sum(size * (size - 1) // 2 for size in Counter(groups).values())

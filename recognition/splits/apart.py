"""Splits that keep encounters together, so that the place does not reveal the answer."""

from collections.abc import Container, Hashable, Mapping, Sequence
from dataclasses import dataclass

from recognition.defaults import SEED
from recognition.splits.order import Shuffler
from recognition.splits.split import Split, SplitError, checked, individuals, parted, same_length
from shared.messages import VIEWPOINT_UNSPECIFIED, Viewpoint


@dataclass(frozen=True)
class _Item:
    identity: str
    group: Hashable
    viewpoint: Viewpoint


def encounter(
    identities: Sequence[str],
    encounters: Sequence[str],
    viewpoints: Sequence[Viewpoint],
    share: float = 0.8,
    seed: int = SEED,
) -> Split:
    """Return a split with no encounter on both sides, and a match for every query.

    For each query the gallery holds a picture of the same individual and the same flank (or an
    unspecified one) from another encounter. Encounters become queries at random until those are 1 -
    `share` of the items; one that would leave a query without such a picture, such as an
    individual's only encounter, stays in the gallery. So the gallery may be larger than `share`,
    never smaller by more than one encounter.

    Raises:
        SplitError: labelled items have no encounter, or no encounter can be a query.
    """
    same_length(identities, {"encounters": encounters, "viewpoints": viewpoints})
    items = individuals(identities)
    labelled = [each for own in items.values() for each in own]
    if lacking := sum(not encounters[each] for each in labelled):
        raise SplitError(
            f"{lacking} of {len(labelled)} labelled items have no encounter; fill the column "
            "sequence of metadata.csv, or use the closed split, which overestimates accuracy"
        )
    return _apart(
        "encounter",
        {each: _Item(identities[each], encounters[each], viewpoints[each]) for each in labelled},
        share,
        seed,
        "no individual was seen from the same side in two encounters; use pictures of more "
        "encounters, or the closed split",
    )


def similarity_aware(
    identities: Sequence[str], groups: Sequence[int], share: float = 0.8, seed: int = SEED
) -> Split:
    """Return a split with no group of near-duplicates on both sides (see `near_duplicates`).

    For each query the gallery holds a picture of the same individual from another group.
    Groups are drawn for the queries until those are 1 - `share` of the items.

    Raises:
        SplitError: no group can be a query.
    """
    same_length(identities, {"groups": groups})
    items = individuals(identities)
    return _apart(
        "similarity-aware",
        {
            each: _Item(name, groups[each], VIEWPOINT_UNSPECIFIED)
            for name, own in items.items()
            for each in own
        },
        share,
        seed,
        "all pictures of each individual are near-duplicates; raise the threshold",
    )


def _apart(name: str, items: Mapping[int, _Item], share: float, seed: int, otherwise: str) -> Split:
    checked(share=share)
    together: dict[Hashable, list[int]] = {}
    own: dict[str, list[int]] = {}
    for each, item in items.items():
        together.setdefault(item.group, []).append(each)
        own.setdefault(item.identity, []).append(each)
    groups = sorted(together.values(), key=min)
    wanted = round((1 - share) * len(items))
    queries: set[int] = set()
    for place in Shuffler(seed).permutation(len(groups)):
        if len(queries) >= wanted:
            break
        group = groups[place]
        queries.update(group)
        if not all(_answered(own[items[each].identity], queries, items) for each in group):
            queries.difference_update(group)
    return parted(name, items.keys() - queries, queries, otherwise)


def _answered(own: Sequence[int], queries: Container[int], items: Mapping[int, _Item]) -> bool:
    """Return whether the gallery holds a picture of the same side for each query of one animal."""
    held = {items[each].viewpoint for each in own if each not in queries}
    asked = {items[each].viewpoint for each in own if each in queries}
    return bool(held) and (VIEWPOINT_UNSPECIFIED in held or asked <= held | {VIEWPOINT_UNSPECIFIED})

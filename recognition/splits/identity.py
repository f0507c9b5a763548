"""Splits by identity alone: closed, open and disjoint sets, and the study's protocol.

The first three equal `ClosedSetSplit`, `OpenSetSplit` and `DisjointSetSplit` of wildlife-datasets
(Čermák et al., WildlifeDatasets, WACV 2024), with the gallery as training set, so that results
compare with published ones: the number of queries per individual depends on the counts alone, which
ones also on the order of the items. Pictures of one encounter may be on both sides; `encounter`
avoids that.
"""

from collections.abc import Collection, Sequence
from itertools import accumulate

from recognition.defaults import SEED
from recognition.splits.order import Shuffler, by_name
from recognition.splits.split import Split, SplitError, checked, individuals, parted

_SINGLE = "no individual has two pictures, as a closed set needs"
_FEW = "{} individuals are too few; use more, or a smaller share of unknown ones"


def closed(identities: Sequence[str], share: float = 0.8, seed: int = SEED) -> Split:
    """Return a split in which every individual is in the gallery.

    About `share` of each individual's items, at least one, are in the gallery, and all but
    one at most: who has a single item is in the gallery only.

    Raises:
        SplitError: no individual has two items.
    """
    checked(share=share)
    items = individuals(identities)
    gallery, queries = _divide(items, share, (), seed)
    return parted("closed", gallery, queries, _SINGLE)


def open_set(
    identities: Sequence[str], share: float = 0.8, unknown: float = 0.1, seed: int = SEED
) -> Split:
    """Return a split in which some individuals are among the queries only.

    Individuals are drawn until they hold `unknown` of all items; the others are split so that
    about `share` of *all* items are in the gallery.

    Raises:
        SplitError: so many individuals are drawn that none is left for the gallery.
    """
    checked(share=share, unknown=unknown)
    items = individuals(identities)
    new_individuals = _holding(items, unknown, seed)
    count = sum(map(len, items.values()))
    rest = count - sum(len(items[each]) for each in new_individuals)
    of_rest = min(1.0, count * share / rest) if rest else share
    gallery, queries = _divide(items, of_rest, new_individuals, seed)
    return parted("open", gallery, queries, _FEW.format(len(items)))


def disjoint(identities: Sequence[str], unknown: float = 0.2, seed: int = SEED) -> Split:
    """Return a split in which no individual is on both sides.

    Individuals are drawn for the queries until they hold `unknown` of all items.

    Raises:
        SplitError: so many individuals are drawn that none is left for the gallery.
    """
    checked(unknown=unknown)
    items = individuals(identities)
    new_individuals = _holding(items, unknown, seed)
    gallery = [each for name in items if name not in new_individuals for each in items[name]]
    queries = [each for name in new_individuals for each in items[name]]
    return parted("disjoint", gallery, queries, _FEW.format(len(items)))


def study(
    identities: Sequence[str], share: float = 0.8, unknown: float = 0.2, seed: int = SEED
) -> Split:
    """Return a split in which `unknown` of the *individuals* are among the queries only.

    The others are split closed: about `share` of each one's items are in the gallery.

    Raises:
        SplitError: there are too few individuals to keep one aside.
    """
    checked(share=share, unknown=unknown)
    items = individuals(identities)
    count = round(unknown * len(items))
    if not count:
        raise SplitError(f"the study split has no new individuals: {_FEW.format(len(items))}")
    gallery, queries = _divide(items, share, _drawn(items, seed)[:count], seed)
    return parted("study", gallery, queries, _FEW.format(len(items)))


def _divide(
    items: dict[str, list[int]], share: float, new_individuals: Collection[str], seed: int
) -> tuple[list[int], list[int]]:
    """Return gallery and queries; `new_individuals` are queries only, the others on both sides."""
    shuffler = Shuffler(seed)
    gallery: list[int] = []
    queries: list[int] = []
    for name in by_name(items):
        own = items[name]
        if name in new_individuals:
            queries += own
            continue
        kept = max(1, min(round(share * len(own)), len(own) - 1))
        shuffled = [own[place] for place in shuffler.permutation(len(own))]
        gallery += shuffled[:kept]
        queries += shuffled[kept:]
    return gallery, queries


def _drawn(items: dict[str, list[int]], seed: int) -> list[str]:
    """Return all individuals in random order, shuffled from most to least pictured."""
    ranked = sorted(items, key=lambda name: -len(items[name]))
    return [ranked[place] for place in Shuffler(seed).permutation(len(ranked))]


def _holding(items: dict[str, list[int]], share: float, seed: int) -> list[str]:
    """Return the first individuals that together hold `share` of all items."""
    drawn = _drawn(items, seed)
    held = list(accumulate(len(items[name]) for name in drawn))
    wanted = round(share * held[-1])
    return drawn[: 1 + sum(count < wanted for count in held)]

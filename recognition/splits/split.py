"""The result of every split, and common checks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from catalogue.reading.columns import names_individual


class SplitError(ValueError):
    """A split is impossible on this data; the text says what is missing."""


@dataclass(frozen=True)
class Split:
    """Indices into the items, ascending, none on both sides.

    Items without a known individual are on neither side.
    """

    name: str
    gallery: tuple[int, ...]
    queries: tuple[int, ...]


def individuals(identities: Sequence[str]) -> dict[str, list[int]]:
    """Return the items of each individual, in order of appearance.

    An empty identity and 'unknown' are not individuals.

    Raises:
        SplitError: there is no individual.
    """
    items: dict[str, list[int]] = {}
    for index, identity in enumerate(identities):
        if names_individual(identity):
            items.setdefault(identity, []).append(index)
    if not items:
        raise SplitError(
            f"none of the {len(identities)} items names an individual; "
            "fill the column identity of metadata.csv"
        )
    return items


def parted(name: str, gallery: Iterable[int], queries: Iterable[int], otherwise: str) -> Split:
    """Return the split, if both sides hold something.

    Raises:
        SplitError: one side is empty; `otherwise` says why and what to do.
    """
    found = Split(name, tuple(sorted(gallery)), tuple(sorted(queries)))
    if not found.gallery or not found.queries:
        side = "queries" if found.gallery else "gallery"
        raise SplitError(f"the {name} split leaves the {side} empty: {otherwise}")
    return found


def checked(**shares: float) -> None:
    """Refuse a share that is not strictly between 0 and 1.

    Raises:
        SplitError: naming the first such share.
    """
    for name, share in shares.items():
        if not 0 < share < 1:
            raise SplitError(f"{name} is {share:g}; it must lie between 0 and 1, such as 0.8")


def same_length(identities: Sequence[str], columns: Mapping[str, Sequence[object]]) -> None:
    """Refuse columns that don't have one value for each item.

    Raises:
        SplitError: naming the first such column.
    """
    for name, column in columns.items():
        if len(column) != len(identities):
            raise SplitError(
                f"there are {len(identities)} identities but {len(column)} {name}; "
                "every item needs one of each"
            )

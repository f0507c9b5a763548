"""The named splits of the command line, of a catalogue's photographs."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from catalogue.reading.catalogue import Photograph
from recognition.defaults import SEED
from recognition.splits.apart import encounter
from recognition.splits.identity import closed, disjoint, open_set, study
from recognition.splits.split import Split, SplitError
from recognition.splits.time import time_proportion

Recipe = Callable[[Sequence[Photograph], int], Split]


def split(name: str, photographs: Sequence[Photograph], seed: int = SEED) -> Split:
    """Return the named split of photographs of one animal each, as `catalogue.single` returns.

    Raises:
        SplitError: unknown name, a photograph with several animals, or missing data.
    """
    if name not in recipes:
        raise SplitError(f"there is no split {name!r}; choose one of {', '.join(recipes)}")
    for photograph in photographs:
        if len(photograph.identities) != 1:
            raise SplitError(
                f"{photograph.path} shows {len(photograph.identities)} animals; split "
                "catalogue.single(photographs), one item for each animal"
            )
    return recipes[name](photographs, seed)


def _identities(photographs: Sequence[Photograph]) -> list[str]:
    return [photograph.identities[0] for photograph in photographs]


def _closed(photographs: Sequence[Photograph], seed: int) -> Split:
    return closed(_identities(photographs), seed=seed)


def _open(photographs: Sequence[Photograph], seed: int) -> Split:
    return open_set(_identities(photographs), seed=seed)


def _disjoint(photographs: Sequence[Photograph], seed: int) -> Split:
    return disjoint(_identities(photographs), seed=seed)


def _study(photographs: Sequence[Photograph], seed: int) -> Split:
    return study(_identities(photographs), seed=seed)


def _time(photographs: Sequence[Photograph], _seed: int) -> Split:
    days = [each.captured_at and each.captured_at.date() for each in photographs]
    return time_proportion(_identities(photographs), days)


def _encounter(photographs: Sequence[Photograph], seed: int) -> Split:
    return encounter(
        _identities(photographs),
        [photograph.encounter for photograph in photographs],
        [photograph.viewpoint for photograph in photographs],
        seed=seed,
    )


recipes: Mapping[str, Recipe] = MappingProxyType(
    {
        "closed": _closed,
        "open": _open,
        "disjoint": _disjoint,
        "time": _time,
        "encounter": _encounter,
        "study": _study,
    }
)

"""Random orders that are reproducible on every machine and library version."""

from collections.abc import Iterable

from recognition.defaults import SEED

# wildlife-datasets' generator: the constants of ISO C's rand(), with all 31 bits of state.
_MULTIPLIER = 1103515245
_INCREMENT = 12345
_MASK = 0x7FFFFFFF


class Shuffler:
    """A linear congruential generator that gives permutations, one after the other."""

    def __init__(self, seed: int = SEED) -> None:
        self._state = seed

    def permutation(self, count: int) -> list[int]:
        """Return 0 … count - 1 in the order of as many fresh random numbers."""
        numbers = [self._number() for _ in range(count)]
        return sorted(range(count), key=numbers.__getitem__)

    def _number(self) -> int:
        self._state = (self._state * _MULTIPLIER + _INCREMENT) & _MASK
        return self._state


def by_name(identities: Iterable[str]) -> list[str]:
    """Return identities in ascending order: as numbers if all are integers, else as text.

    As in a table read by pandas, on which the published splits are based.
    """
    names = list(identities)
    if all(name.removeprefix("-").isdecimal() for name in names):
        return sorted(names, key=lambda name: (int(name), name))
    return sorted(names)

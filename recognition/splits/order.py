"""Random orders that are the same on every machine and in every version of every library."""

from collections.abc import Iterable

SEED = 666

# The generator that wildlife-datasets takes its permutations from: the constants that ISO C
# gives for rand(), with all 31 bits of the state.
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
    """Return identities in ascending order: as numbers if all are whole numbers, else as words.

    A table read by pandas has them so, and the published splits go through it.
    """
    names = list(identities)
    if all(name.removeprefix("-").isdecimal() for name in names):
        return sorted(names, key=lambda name: (int(name), name))
    return sorted(names)

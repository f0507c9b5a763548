"""Which gallery pictures are asked of a model that has learnt none of their individuals.

A model tells the animals that it learnt apart better than any new one. Thresholds drawn
from them would promise too much, so the gallery's individuals take turns in being new.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from recognition.evaluation.fitting import sample


@dataclass(frozen=True)
class Fold:
    """Numbers of pictures: those that are asked, and those of other individuals to learn from."""

    asked: tuple[int, ...]
    learnt: tuple[int, ...]


def folds(
    individuals: Mapping[int, str], asked: Sequence[int], count: int, seed: int
) -> tuple[Fold, ...]:
    """Return at most `count` folds in which each of `asked` is asked once.

    `individuals` are all of the gallery's pictures with whom they show; lots decide
    which individuals are new together.
    """
    names = sample(sorted(set(individuals.values())), len(individuals), seed)
    found = []
    for turn in range(count):
        new = set(names[turn::count])
        chosen = tuple(number for number in asked if individuals[number] in new)
        others = tuple(number for number, name in individuals.items() if name not in new)
        if chosen:
            found.append(Fold(chosen, others))
    return tuple(found)

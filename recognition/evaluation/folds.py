"""Which gallery pictures are asked of models that have not learnt them, to calibrate one that has.

A model tells the animals that it learnt apart better than any new one: thresholds drawn
from them would promise too much. So individuals take turns in being new. And it knows
new pictures of those that it learnt better than others: so some of theirs are held back.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from recognition.evaluation.fitting import sample

# Of an individual that is learnt, at most so many pictures are held back.
HELD_BACK = 1 / 3


@dataclass(frozen=True)
class Fold:
    """Numbers of pictures. No individual of `new` is in `learnt`, and no picture of `known`.

    new: asked as pictures of new animals
    known: asked as pictures of animals that are learnt
    """

    new: tuple[int, ...]
    known: tuple[int, ...]
    learnt: tuple[int, ...]


def folds(individuals: Mapping[int, str], most: int, count: int, seed: int) -> tuple[Fold, ...]:
    """Return folds in which every individual is new in one, and known in another.

    Args:
        individuals: all of the gallery's pictures, with whom they show.
        most: pictures that are asked, half of them as new ones, the others as known ones.
        count: how many folds, at least 2.
        seed: of the lots that decide who is new together, and which pictures are asked.
    """
    names = sample(sorted(set(individuals.values())), len(individuals), seed)
    turn_of = {name: turn for turn, name in enumerate(names)}
    pictures = sample(list(individuals), len(individuals), seed)
    as_new = pictures[: max(1, most // 2)]
    as_known = _held_back(individuals, pictures)[: max(1, most // 2)]
    found = []
    for turn in range(count):
        new = {name for name in names if turn_of[name] % count == turn}
        back = {name for name in names if turn_of[name] % count == (turn + 1) % count}
        known = tuple(number for number in as_known if individuals[number] in back)
        asked = set(known)
        found.append(
            Fold(
                tuple(number for number in as_new if individuals[number] in new),
                known,
                tuple(
                    number
                    for number, name in individuals.items()
                    if name not in new and number not in asked
                ),
            )
        )
    return tuple(found)


def _held_back(individuals: Mapping[int, str], pictures: Sequence[int]) -> list[int]:
    """Return the first pictures of everyone, in their order; each keeps one to learn from."""
    total = Counter(individuals.values())
    taken: Counter[str] = Counter()
    found = []
    for number in pictures:
        name = individuals[number]
        if taken[name] < max(HELD_BACK * total[name] - 0.5, min(1, total[name] - 1)):
            taken[name] += 1
            found.append(number)
    return found

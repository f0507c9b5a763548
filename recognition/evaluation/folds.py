"""Folds to calibrate a trained model by pictures that it was not trained on.

A model separates the animals it was trained on better than new ones, so thresholds from them would
guarantee too much. So individuals take turns in being new. It also knows new pictures of trained
animals better than others: so some of theirs are held back.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from recognition.evaluation.fitting import sample

# Maximum number of pictures held back per individual.
HELD_BACK = 1 / 3


@dataclass(frozen=True)
class Fold:
    """Indices of pictures. No individual of `new` is in `learnt`, and no picture of `known`.

    new: queries of new animals
    known: queries of animals that the model was trained on
    """

    new: tuple[int, ...]
    known: tuple[int, ...]
    learnt: tuple[int, ...]


def folds(individuals: Mapping[int, str], most: int, count: int, seed: int) -> tuple[Fold, ...]:
    """Return folds in which every individual is new in one, and known in another.

    Args:
        individuals: of all gallery pictures.
        most: number of queries, half of them new, half known.
        count: number of folds, at least 2.
        seed: of the random assignment to folds, and of the queries.
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
    """Return the first pictures of everyone, in order; each keeps at least one for training."""
    total = Counter(individuals.values())
    taken: Counter[str] = Counter()
    found = []
    for number in pictures:
        name = individuals[number]
        if taken[name] < max(HELD_BACK * total[name] - 0.5, min(1, total[name] - 1)):
            taken[name] += 1
            found.append(number)
    return found

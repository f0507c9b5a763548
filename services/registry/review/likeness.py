"""Orders individuals by likeness, so that those which may be one animal stand side by side.

Pure functions.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import squareform

# The best order of a dendrogram's leaves takes too long for more individuals.
MOST_ARRANGED = 400
# Above this many, memory is quadratic; these stay in the order in which they came.
MOST_TOGETHER = 4_000


class Twin(NamedTuple):
    """The individual that another one resembles most, and the probability that they are one."""

    individual: str
    probability: float


Likeness = Mapping[tuple[str, str], float]


def by_likeness(names: Sequence[str], likeness: Likeness) -> list[str]:
    """Return the individuals, the likeliest neighbourhood first, those like no other last.

    `likeness` has the probabilities of pairs, each in one order. Inside a neighbourhood the order
    is that of a dendrogram's leaves (average linkage), turned so that neighbours are alike.
    """
    order = {name: index for index, name in enumerate(names)}
    pairs = [
        (order[one], order[other], probability)
        for (one, other), probability in likeness.items()
        if one in order and other in order and one != other
    ]
    if not pairs:
        return list(names)
    left, right, probability = (np.array(each) for each in zip(*pairs, strict=True))
    count = len(names)
    graph = coo_array((probability, (left, right)), shape=(count, count))
    _, labels = connected_components(graph, directed=False)
    neighbourhoods: dict[int, list[int]] = {}
    for index, label in enumerate(labels.tolist()):
        neighbourhoods.setdefault(label, []).append(index)
    best = np.zeros(count)
    np.maximum.at(best, labels[left], probability)
    alike = graph.tocsr()
    found: list[str] = []
    for label in sorted(neighbourhoods, key=lambda name: (-best[name], neighbourhoods[name][0])):
        members = neighbourhoods[label]
        if 2 < len(members) <= MOST_TOGETHER:
            part = alike[members][:, members].toarray()
            distances = 1 - np.maximum(part, part.T)
            np.fill_diagonal(distances, 0)
            arranged = len(members) <= MOST_ARRANGED
            tree = linkage(squareform(distances), "average", optimal_ordering=arranged)
            members = [members[leaf] for leaf in leaves_list(tree)]
        found += [names[member] for member in members]
    return found


def twins(likeness: Likeness) -> dict[str, Twin]:
    """Return the most similar individual of each one that has any."""
    found: dict[str, Twin] = {}
    for (one, other), probability in sorted(likeness.items(), key=lambda item: -item[1]):
        found.setdefault(one, Twin(other, probability))
        found.setdefault(other, Twin(one, probability))
    return found

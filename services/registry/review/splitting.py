"""Finds the most likely split of an individual after a correction. Pure functions."""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from services.registry.calibration.affinity import PairTable
from services.registry.calibration.calibration import Clustering
from services.registry.calibration.linkage import Clusters
from services.registry.identity.judge import members_of
from services.registry.identity.resolve import Member, known_apart, known_together
from services.registry.identity.view import Group

# Wrong members are rare, so individuals called the same are merged completely unless one sighting
# is an outlier by at least this much in log-odds.
RATHER_MERGED = 2.5


def outlier(one: str, other: str, of_one: Group, of_other: Group, clustering: Clustering) -> str:
    """Return which of two sightings of one animal is in the wrong individual; '': neither.

    Either both individuals are one animal, or one of the two sightings does not belong to its own
    individual: whichever the evidence supports most.
    """
    members = [*members_of("one", of_one), *members_of("other", of_other)]
    groups = [0 if each.individual == "one" else 1 for each in members]
    names = [each.sighting for each in members]
    places = [names.index(one), names.index(other)]
    groups[places[0]], groups[places[1]] = 2, 3
    if not {0, 1} <= set(groups):
        return ""
    matrix = _log_odds(members, clustering)
    clusters = Clusters(matrix, together=groups)
    rests = [groups.index(0), groups.index(1)]

    def log_odds(left: int, right: int) -> float:
        if right not in clusters.compared(left):
            return 0.0
        links = clusters.links(np.array([left]), np.array([right]))
        return float(clustering.linkage.weights.log_odds(links)[0])

    found = {
        "": log_odds(*rests) + RATHER_MERGED,
        one: -log_odds(places[0], rests[0]),
        other: -log_odds(places[1], rests[1]),
    }
    return max(found, key=lambda name: found[name])


def _log_odds(members: Sequence[Member], clustering: Clustering) -> NDArray[np.float64]:
    """Return log-odds between sightings, measured against all individuals but theirs, [N, N]."""
    pairs = PairTable({each.number: each.comparisons for each in members})
    return clustering.affinity.matrix(pairs, np.zeros(len(members), np.int64))


def split_parts(
    one: str, other: str, group: Group, clustering: Clustering | None
) -> Collection[str]:
    """Return the smaller part of an individual when two of its sightings are different animals."""
    names = [each.sighting for each in group.sightings]
    if clustering is None:
        return [other]
    members = members_of("", group)
    apart = known_apart(members, ())
    left, right = names.index(one), names.index(other)
    apart[left, right] = apart[right, left] = True
    matrix = _log_odds(members, clustering)
    clusters = Clusters(matrix, apart, known_together(members, (), apart))
    clusters.agglomerate(clustering.linkage.weights, -np.inf)
    labels = clusters.labels()
    with_other = [name for name, label in zip(names, labels, strict=True) if label == labels[right]]
    with_one = [name for name, label in zip(names, labels, strict=True) if label == labels[left]]
    return with_other if len(with_other) <= len(names) - len(with_other) else with_one

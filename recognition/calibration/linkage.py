"""Learns how clusters are joined from labelled streams, for species that are not among them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from recognition.calibration.affinity import Sets, fit_affinity, fit_rows, least_distinctive
from recognition.calibration.stream import Stream
from recognition.clustering_metrics import pairwise
from services.registry.calibration.affinity import Affinity
from services.registry.calibration.linkage import LINKS, YOUNG, Clusters, Linkage, settled
from services.registry.calibration.models import Linear

# Each round clusters the streams with the previous weights, down to these log-odds, and learns from
# the merges.
DOWN_TO = (-5.0, -3.0)
# Alternatives recorded per merge: other clusters that might have been joined instead.
BESIDE = 8

# Required share of pairs under one ID that show one animal, on each set. A set that reaches it only
# with almost no joins says nothing about the threshold.
PRECISION = 0.93
LEAST_F1 = 0.3
# Gain in F1 required to join more readily.
NO_GAIN = 0.002
LEVELS = np.arange(-4.0, 4.0, 0.25)
# Groupings per level.
ROUNDS = 2

# In a young gallery fewer others tell what is distinctive: streams are learned from as they were
# with this many sightings, too.
YOUNG_STREAMS = (30, 80)

# The sizes of two clusters may count for or against joining.
SIZES = tuple(LINKS.index(name) for name in LINKS if name.startswith(("log_", "coverage")))


class FittedLinkage(NamedTuple):
    """Pairs' log-odds, and how clusters are joined.

    `silent`: sets on which no level keeps the precision, unless almost nothing is joined.
    """

    affinity: Affinity
    linkage: Linkage
    silent: tuple[str, ...]


def fit_linkage(sets: Sets, seed: int = 0) -> FittedLinkage:
    """Learn from sets of streams with equal weights, whatever their number of pictures.

    Raises:
        CalibrationError: there is no pair of one individual, or none of two.
    """
    learnt = {name: _with_young(streams) for name, streams in sets.items()}
    affinity = fit_affinity(learnt)
    matrices = {
        name: [affinity.matrix(stream.pairs, stream.groups) for stream in streams]
        for name, streams in learnt.items()
    }
    weights = _learned(learnt, matrices, np.random.default_rng(seed))
    grown, young = (
        {name: _least(streams, affinity, weights, count) for name, streams in sets.items()}
        for count in (None, YOUNG)
    )
    # From here the precision holds on every informative set.
    join = max((level for level in grown.values() if level is not None), default=float(LEVELS[-1]))
    more = [
        max(level - later, 0.0)
        for level, later in zip(young.values(), grown.values(), strict=True)
        if level is not None and later is not None
    ]
    # With few pictures no set says much, so use their mean.
    surcharge = sum(more) / len(more) if more else 0.0
    linkage = Linkage(weights=weights, join=join, join_young=join + surcharge)
    silent = tuple(sorted(name for name, level in grown.items() if level is None))
    floor = least_distinctive(
        [streams for name, streams in sets.items() if name not in silent], affinity
    )
    return FittedLinkage(affinity.model_copy(update={"floor": floor}), linkage, silent)


def _with_young(streams: Sequence[Stream]) -> list[Stream]:
    """Return the streams, and each as it was when its gallery was young."""
    beginnings = [
        stream.first(count)
        for stream in streams
        for count in YOUNG_STREAMS
        if count < len(stream.identities)
    ]
    return [*streams, *beginnings]


def _learned(
    sets: Sets,
    matrices: Mapping[str, Sequence[NDArray[np.float64]]],
    dice: np.random.Generator,
) -> Linear:
    """Return the weights of a linkage, learned from the merges made in clustering."""
    count = len(LINKS)
    average = (1.0,) + (0.0,) * (count - 1)
    weights = Linear(
        coefficients=average, means=(0.0,) * count, scales=(1.0,) * count, intercept=0.0
    )
    found: dict[str, list[tuple[NDArray[np.float64], NDArray[np.bool_]]]] = {
        name: [] for name in sets
    }
    for down_to in DOWN_TO:
        for name, streams in sets.items():
            for stream, matrix in zip(streams, matrices[name], strict=True):
                found[name].append(_merges(stream, matrix, weights, down_to, dice))
        weights = fit_rows(found, SIZES)
    return weights


def _merges(
    stream: Stream,
    matrix: NDArray[np.float64],
    weights: Linear,
    down_to: float,
    dice: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Cluster a stream; return the inputs of each merge and alternatives, and whether it was right.

    A cluster's animal is that of most of its sightings.
    """
    merges = Clusters(matrix).agglomerate(weights, down_to)
    clusters = Clusters(matrix)
    rows, labels = [], []

    def animal(cluster: int) -> str:
        shown = Counter(stream.identities[member] for member in clusters.members[cluster])
        return shown.most_common(1)[0][0]

    for merge in merges:
        others = clusters.compared(merge.kept)
        others = dice.permutation(others[others != merge.gone])[:BESIDE]
        right = np.concatenate([[merge.gone], others])
        rows.append(clusters.links(np.full(len(right), merge.kept), right))
        own = animal(merge.kept)
        labels += [animal(int(other)) == own for other in right]
        clusters.join(merge.kept, merge.gone)
    empty = np.zeros((0, len(LINKS)))
    return np.concatenate([empty, *rows]), np.array(labels, dtype=np.bool_)


def _least(
    streams: Sequence[Stream], affinity: Affinity, weights: Linear, count: int | None
) -> float | None:
    """Return the level of one set with the highest gain at the required precision; None: none.

    Uses the first `count` sightings of each stream.
    """
    if all(len(set(each.identities)) == len(each.identities) for each in streams):
        return None
    table = np.mean([_at_levels(each.first(count), affinity, weights) for each in streams], axis=0)
    holds = np.logical_and.accumulate((table[:, 0] >= PRECISION)[::-1])[::-1]
    if not holds.any() or table[holds.argmax(), 1] < LEAST_F1:
        return None
    # With clear evidence it holds far down, without gain.
    worth = holds & (table[:, 1] >= table[holds, 1].max() - NO_GAIN)
    return float(LEVELS[np.flatnonzero(worth)[-1]])


def _at_levels(stream: Stream, affinity: Affinity, weights: Linear) -> NDArray[np.float64]:
    """Return precision and F1 over pairs at each of the levels, [L, 2].

    Clustered as in service: measured anew with each grouping, beginning with the stricter level's.
    """
    truth = {str(index): name for index, name in enumerate(stream.identities)}
    groups, found = np.arange(len(stream.identities)), []

    def regroup(level: float, now: NDArray[np.int64]) -> Clusters:
        clusters = Clusters(affinity.matrix(stream.pairs, now))
        clusters.agglomerate(weights, level)
        return clusters

    for level in LEVELS[::-1].tolist():
        groups = settled(partial(regroup, level), groups.tolist(), ROUNDS).labels()
        score = pairwise({str(index): str(name) for index, name in enumerate(groups)}, truth)
        found.append((score.precision, score.f1))
    return np.array(found[::-1])

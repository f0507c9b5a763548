"""Resolves the individuals that a query may be: join, merge, split. Pure functions.

Their sightings are clustered again from all comparisons made among them, because decisions that
were right one by one may be wrong together (Crall, Identifying Individual Animals Using Ranking,
Verification, and Connectivity, 2017, chapter 4). Then the clusters are mapped to existing IDs, most
of which stay.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from services.registry.calibration.affinity import PairTable
from services.registry.calibration.calibration import Clustering
from services.registry.calibration.linkage import GROWN, Clusters, Linkage, settled
from services.registry.identity.question import Question
from services.registry.identity.view import Recorded

# Two individuals may be one if they were this close to being joined, in log-odds; at most this many
# pairs become questions, the likeliest first. Less likely questions cost reviewers more than they
# gain: see docs/experiments.md.
QUESTION_MARGIN = 1.25
MAX_QUESTIONS = 10

# Hysteresis: an existing individual is split only if its parts are this far, in log-odds, below the
# threshold for joining them.
STAY_MARGIN = 0.5

# Clusterings of one query at most; most need two.
ROUNDS = 4


@dataclass(frozen=True)
class Member(Recorded):
    """One sighting of an individual.

    The query has `number` 0, and an empty `individual` unless it is known.
    """

    individual: str = ""


@dataclass(frozen=True)
class Merge:
    """All sightings of an individual move to another."""

    individual: str
    into: str


@dataclass(frozen=True)
class SplitOff:
    """Some sightings of an individual move to another, after the merges."""

    individual: str
    sightings: tuple[str, ...]
    into: str


@dataclass(frozen=True)
class Resolution:
    """Where the query belongs, what changes about others, and which questions stay open.

    Individuals to be founded are named `+0`, `+1` and so on.
    """

    individual: str
    merges: tuple[Merge, ...] = ()
    splits: tuple[SplitOff, ...] = ()
    questions: tuple[Question, ...] = field(default=(), compare=False)


def resolve(
    query: Member,
    members: Sequence[Member],
    clustering: Clustering,
    whole: Collection[str] = (),
    *,
    differ: Collection[frozenset[str]] = (),
    enrolled: int = GROWN,
) -> Resolution:
    """Return the resolution, including the query.

    `members` are the sightings of the individuals in question. Those of one image differ, and so do
    the individuals of each pair in `differ`, where '' is the query. An individual in `whole` is
    never split, because not all of it is here. Their gallery has `enrolled` sightings.
    """
    everyone = [*members, query]
    pairs = PairTable({each.number: each.comparisons for each in everyone})
    linkage = clustering.linkage.at(enrolled)
    apart = known_apart(everyone, differ)
    together = known_together(everyone, {*whole, *_compared_without_votes(members)}, apart)

    def regroup(groups: NDArray[np.int64]) -> Clusters:
        clusters = Clusters(clustering.affinity.matrix(pairs, groups), apart, together)
        clusters.agglomerate(linkage.weights, linkage.join)
        clusters.apart |= ~_shared(clusters, everyone)
        clusters.agglomerate(linkage.weights, linkage.join - STAY_MARGIN)
        return clusters

    clusters = settled(regroup, [each.individual or each.sighting for each in everyone], ROUNDS)
    names, found = _told(members, clusters.labels())
    clusters.apart = _merged(apart, clusters)
    return replace(found, questions=_doubts(everyone, names, clusters, linkage))


def _compared_without_votes(members: Sequence[Member]) -> set[str]:
    """Return the individuals with sightings of a release that kept no votes.

    How distinctive their matches were is unknown, which is no reason to split them.
    """
    return {
        each.individual
        for each in members
        if len(each.comparisons.numbers) and not len(each.comparisons.votes.numbers)
    }


def known_apart(
    everyone: Sequence[Member], differ: Collection[frozenset[str]]
) -> NDArray[np.bool_]:
    """Return which pairs of sightings [N, N] are known to show two animals."""
    images = np.array([each.image for each in everyone])
    apart = np.asarray(images[:, None] == images[None, :])
    np.fill_diagonal(apart, val=False)
    positions = {each.sighting: index for index, each in enumerate(everyone)}
    for index, each in enumerate(everyone):
        for other in positions.keys() & set(each.differ):
            apart[index, positions[other]] = apart[positions[other], index] = True
    names = np.array([each.individual for each in everyone[:-1]] + [""])
    for one, other in map(sorted, differ):
        pairs = (names == one)[:, None] & (names == other)[None, :]
        apart |= pairs | pairs.T
    return apart


def known_together(
    everyone: Sequence[Member], whole: Collection[str], apart: NDArray[np.bool_]
) -> list[int]:
    """Return the group of each sighting: of whole individuals, and those bound by anchors.

    An anchor only binds sightings of one individual, so later splits hold, and none that are known
    to differ; among a query's anchors the first takes precedence.
    """
    first: dict[str, int] = {}
    groups = [
        first.setdefault(each.individual, index) if each.individual in whole else index
        for index, each in enumerate(everyone)
    ]
    positions = {each.sighting: index for index, each in enumerate(everyone)}
    for index, each in enumerate(everyone):
        query = index == len(everyone) - 1
        said = [name for name in (*sorted(each.same), *each.anchors) if name in positions]
        for anchor in map(positions.__getitem__, said):
            if query or everyone[anchor].individual == each.individual:
                kept, gone = groups[anchor], groups[index]
                one, other = ([group == name for group in groups] for name in (kept, gone))
                if not apart[np.ix_(one, other)].any():
                    groups = [kept if group == gone else group for group in groups]
    return groups


def _shared(clusters: Clusters, everyone: Sequence[Member]) -> NDArray[np.bool_]:
    """Return which pairs of clusters [N, N] hold sightings of the same individual."""
    names = {each.individual: index for index, each in enumerate(everyone) if each.individual}
    # Floats: products of integers take ten times as long.
    holds = np.zeros((len(everyone), len(everyone)), dtype=np.float32)
    for cluster, members in enumerate(clusters.members):
        for member in members:
            if everyone[member].individual:
                holds[cluster, names[everyone[member].individual]] = 1.0
    return np.asarray(holds @ holds.T > 0)


def _told(
    members: Sequence[Member], labels: NDArray[np.int64]
) -> tuple[dict[int, str], Resolution]:
    """Map clusters to existing IDs with few changes; name each cluster.

    A cluster keeps the ID of most of its sightings; of two clusters with one ID the one with more
    of its sightings does. An ID that no cluster keeps is merged into the cluster that took most of
    its sightings.
    """
    sightings = Counter(
        (int(label), each.individual) for label, each in zip(labels, members, strict=False)
    )
    order = {each.individual: index for index, each in reversed(list(enumerate(members)))}
    by_size = sorted(sightings, key=lambda pair: (-sightings[pair], order[pair[1]], pair[0]))
    kept: dict[int, str] = {}
    for label, individual in by_size:
        if label not in kept and individual not in kept.values():
            kept[label] = individual
    merges, moved = [], set()
    for label, individual in by_size:
        if individual not in kept.values() and individual not in moved and label in kept:
            merges.append(Merge(individual, kept[label]))
            moved.add(individual)
    for label in dict.fromkeys(int(label) for label in labels):
        if label not in kept:
            kept[label] = f"+{len([name for name in kept.values() if name.startswith('+')])}"
    into = {individual: individual for individual in kept.values()}
    into |= {merge.individual: merge.into for merge in merges}
    parts: dict[tuple[str, int], list[str]] = {}
    for label, each in zip(labels, members, strict=False):
        if kept[int(label)] != into[each.individual]:
            parts.setdefault((into[each.individual], int(label)), []).append(each.sighting)
    splits = [
        SplitOff(individual, tuple(found), kept[label])
        for (individual, label), found in parts.items()
    ]
    return kept, Resolution(kept[int(labels[-1])], tuple(merges), tuple(splits))


def _merged(apart: NDArray[np.bool_], clusters: Clusters) -> NDArray[np.bool_]:
    """Return which clusters are apart [N, N]: those with members that are."""
    holds = np.zeros(apart.shape)
    for cluster, members in enumerate(clusters.members):
        holds[cluster, members] = 1.0
    found = np.asarray(holds @ apart @ holds.T > 0)
    np.fill_diagonal(found, val=False)
    return found


def _doubts(
    everyone: Sequence[Member],
    names: Mapping[int, str],
    clusters: Clusters,
    linkage: Linkage,
) -> tuple[Question, ...]:
    """Return which clusters may be one, most likely first."""
    found = []
    for one in names:
        others = clusters.compared(one)
        others = others[others > one]
        if not len(others):
            continue
        scores = linkage.weights.log_odds(clusters.links(np.full(len(others), one), others))
        for other, score in zip(others.tolist(), scores.tolist(), strict=True):
            if score >= linkage.join - QUESTION_MARGIN:
                block = clusters.log_odds[np.ix_(clusters.members[one], clusters.members[other])]
                left, right = np.unravel_index(np.nanargmax(block), block.shape)
                found.append(
                    Question(
                        names[one],
                        names[other],
                        score,
                        everyone[clusters.members[one][left]].sighting,
                        everyone[clusters.members[other][right]].sighting,
                    )
                )
    return tuple(sorted(found, key=lambda question: -question.log_odds)[:MAX_QUESTIONS])

"""Checks a catalogue: one animal under two names, and pictures under a wrong name.

The names are taken as they are, and the evidence between their pictures is measured as the registry
would. A name per flank or per visit, and a card sorted wrongly, are the usual faults.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from recognition.calibration.stream import Stream
from recognition.data.labelled_stream import MatchedSighting, labelled_sightings
from services.registry.calibration.calibration import Clustering
from services.registry.calibration.linkage import Clusters
from services.registry.calibration.models import Linear, sigmoid

# Less likely faults are not listed.
LEAST = 0.1
# A picture must resemble another name's pictures by this much more than its own's, in log-odds.
RATHER = 2.0
# A picture is a stranger if the other pictures of its name resemble each other, but not it: at
# least and at most these log-odds.
ALIKE, UNLIKE = 0.0, -3.0

Fault = Literal["one animal", "another animal", "stranger"]


@dataclass(frozen=True)
class Finding:
    """A likely fault, and the two pictures to look at, by their positions in the stream.

    `one animal`: two names that may be one. `another animal`: a picture of `name` that may show
    `other`. `stranger`: a picture of `name` unlike its other pictures; `other` is `name`, too.
    """

    fault: Fault
    name: str
    other: str
    probability: float
    picture: int
    other_picture: int


@dataclass(frozen=True)
class Located:
    """A finding in a gallery, with its two sightings."""

    gallery: str
    finding: Finding
    sightings: tuple[MatchedSighting, MatchedSighting]

    @property
    def sources(self) -> tuple[str, str]:
        """Where the two pictures came from."""
        one, other = self.sightings
        return one.labelled.source, other.labelled.source


def check_catalogue(seen: Sequence[MatchedSighting], clustering: Clustering) -> list[Located]:
    """Return the likely faults in the names of all galleries, the likeliest first."""
    galleries: dict[str, list[MatchedSighting]] = {}
    for each in seen:
        if each.number:
            galleries.setdefault(each.matches.query.gallery, []).append(each)
    found = []
    for gallery, sightings in galleries.items():
        stream = Stream.of([labelled for _, labelled in labelled_sightings(sightings)])
        for finding in findings(stream, clustering):
            pair = (sightings[finding.picture], sightings[finding.other_picture])
            found.append(Located(gallery, finding, pair))
    return sorted(found, key=lambda each: -each.finding.probability)


def findings(stream: Stream, clustering: Clustering) -> list[Finding]:
    """Return the likely faults in a gallery's names, the likeliest first."""
    names, groups = np.unique(np.array(stream.identities), return_inverse=True)
    log_odds = clustering.affinity.matrix(stream.pairs, groups)
    weights = clustering.linkage.weights
    found = [
        *_names_that_may_be_one(names, groups, log_odds, weights),
        *_pictures_out_of_place(names, groups, log_odds, weights),
    ]
    return sorted(found, key=lambda each: (-each.probability, each.name, each.picture))


def _names_that_may_be_one(
    names: NDArray[np.str_],
    groups: NDArray[np.int64],
    log_odds: NDArray[np.float64],
    weights: Linear,
) -> Iterator[Finding]:
    clusters = Clusters(log_odds, together=groups.tolist())
    of_name = {
        int(groups[members[0]]): at for at, members in enumerate(clusters.members) if members
    }
    for one, at in of_name.items():
        others = clusters.compared(at)
        others = others[groups[others] > one]
        if not len(others):
            continue
        scores = weights.log_odds(clusters.links(np.full(len(others), at), others))
        for there, probability in zip(others.tolist(), sigmoid(scores).tolist(), strict=True):
            if probability >= LEAST:
                pair = _most_alike(log_odds, clusters.members[at], clusters.members[there])
                other = int(groups[there])
                yield Finding("one animal", str(names[one]), str(names[other]), probability, *pair)


def _pictures_out_of_place(
    names: NDArray[np.str_],
    groups: NDArray[np.int64],
    log_odds: NDArray[np.float64],
    weights: Linear,
) -> Iterator[Finding]:
    for picture, group in enumerate(groups.tolist()):
        own = np.flatnonzero(groups == group)
        rest = own[own != picture].tolist()
        if not rest:
            continue
        with_own = _between(log_odds, [picture], rest, weights)
        row = np.where(groups == group, -np.inf, np.nan_to_num(log_odds[picture], nan=-np.inf))
        if np.isfinite(row.max(initial=-np.inf)):
            other = int(groups[row.argmax()])
            others = np.flatnonzero(groups == other).tolist()
            with_other = _between(log_odds, [picture], others, weights)
            # It is the best of so many names, and one of them is like it by chance.
            candidates = len(np.unique(groups[np.isfinite(row)]))
            probability = float(sigmoid(np.array(with_other - np.log(candidates))))
            if with_other - with_own >= RATHER and probability >= LEAST:
                pair = _most_alike(log_odds, [picture], others)
                yield Finding(
                    "another animal", str(names[group]), str(names[other]), probability, *pair
                )
                continue
        among = log_odds[np.ix_(rest, rest)]
        compared = among[~np.isnan(among)]
        alike = len(compared) > 0 and float(np.median(compared)) >= ALIKE
        if alike and -np.inf < with_own <= UNLIKE:
            pair = _most_alike(log_odds, [picture], rest)
            probability = float(1 - sigmoid(np.array(with_own)))
            yield Finding("stranger", str(names[group]), str(names[group]), probability, *pair)


def _between(
    log_odds: NDArray[np.float64], one: Sequence[int], other: Sequence[int], weights: Linear
) -> float:
    """Return the log-odds that two groups of pictures are one animal; -inf if not compared."""
    both = [*one, *other]
    together = [0] * len(one) + [1] * len(other)
    clusters = Clusters(log_odds[np.ix_(both, both)], together=together)
    if len(one) not in clusters.compared(0):
        return -np.inf
    return float(weights.log_odds(clusters.links(np.array([0]), np.array([len(one)])))[0])


def _most_alike(
    log_odds: NDArray[np.float64], one: Sequence[int], other: Sequence[int]
) -> tuple[int, int]:
    block = log_odds[np.ix_(list(one), list(other))]
    left, right = np.unravel_index(np.nanargmax(block), block.shape)
    return one[int(left)], other[int(right)]

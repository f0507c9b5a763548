"""Votes of a query's keypoints for the sightings of a gallery, by their nearest descriptors.

Local naive Bayes nearest neighbour (McCann & Lowe 2012), as in the matcher, but over the whole
gallery and by approximate search.
"""

from collections.abc import Sequence

import numpy as np

from services.lookup.galleries.descriptors import Neighbours

# A keypoint votes for this many sightings, measured against the next one.
BEST = 10


def votes(found: Sequence[Neighbours]) -> dict[int, float]:
    """Return what the neighbours of a query's keypoints are worth, by point; others: 0."""
    totals: dict[int, float] = {}
    for neighbours in found:
        nearest: dict[int, float] = {}
        for point, cosine in neighbours:
            nearest.setdefault(point, cosine)
        cosines = np.fromiter(nearest.values(), np.float64)
        if len(cosines) < 2:
            continue
        distances = np.sqrt(np.maximum(2 - 2 * cosines, 0))
        measure = distances[min(BEST, len(distances) - 1)]
        for point, distance in zip(nearest, distances.tolist(), strict=True):
            if distance < measure:
                totals[point] = totals.get(point, 0.0) + measure - distance
    return {point: worth / np.sqrt(len(found)) for point, worth in totals.items()}

"""Groups pictures for training: as clustering would, but without its mistakes."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.registry.calibration.affinity import PairTable
from services.registry.calibration.linkage import LINKS, Clusters
from services.registry.calibration.models import Linear

# Mean logarithm of the distinctiveness at which untrained groups are joined. Between .2 and .4 it
# matters little; see docs/experiments.md.
JOIN = 0.35
ROUNDS = 8
AVERAGE = Linear(
    coefficients=(1.0,) + (0.0,) * (len(LINKS) - 1),
    means=(0.0,) * len(LINKS),
    scales=(1.0,) * len(LINKS),
    intercept=0.0,
)


def untrained_groups(pairs: PairTable) -> NDArray[np.int64]:
    """Return groups by distinctiveness alone, int64 [N]: average linkage at one cut.

    It is measured anew with each grouping, until nothing changes.
    """
    count = len(pairs.features)
    groups = np.arange(count)
    for _ in range(ROUNDS):
        matrix = np.full((count, count), np.nan)
        for index, (there, rows) in enumerate(zip(pairs.there, pairs.rows(groups), strict=True)):
            inside = there >= 0
            matrix[index, there[inside]] = matrix[there[inside], index] = rows[inside, 0]
        clusters = Clusters(matrix)
        clusters.agglomerate(AVERAGE, JOIN)
        found = clusters.labels()
        if (found == groups).all():
            break
        groups = found
    return groups


def training_groups(pairs: PairTable, identities: Sequence[str]) -> NDArray[np.int64]:
    """Return untrained groups, each divided by individual, int64 [N].

    In service an animal has several IDs at first, which speak against each other; with the true
    individuals alone a model would expect evidence that it gets only in the end.
    """
    names = np.unique(np.array(identities), return_inverse=True)[1]
    both = np.stack([untrained_groups(pairs), names])
    return np.asarray(np.unique(both, axis=1, return_inverse=True)[1], dtype=np.int64)

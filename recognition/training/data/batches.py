"""Batches of samples, epoch by epoch."""

import numpy as np
from numpy.typing import NDArray


def epoch_batches(
    labels: NDArray[np.int64], size: int, together: int, seed: int, epoch: int
) -> list[NDArray[np.int64]]:
    """Return the batches of one epoch: indices of samples, each at most once.

    The samples of one label stay in groups of `together`, if there are that many. An incomplete
    last batch is dropped, because its statistics would be too noisy for batch norm; in another
    epoch it has other samples.
    """
    rng = np.random.default_rng((seed, 1, epoch))
    order = rng.permutation(len(labels))
    if together > 1:
        order = _grouped(order, labels, together, rng)
    size = min(size, len(order))
    return [order[start : start + size] for start in range(0, len(order) - size + 1, size)]


def _grouped(
    order: NDArray[np.int64],
    labels: NDArray[np.int64],
    together: int,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    by_label = order[np.argsort(labels[order], kind="stable")]
    ends = np.flatnonzero(np.diff(labels[by_label])) + 1
    groups = [
        samples[start : start + together]
        for samples in np.split(by_label, ends)
        for start in range(0, len(samples), together)
    ]
    return np.concatenate([groups[number] for number in rng.permutation(len(groups))])

"""Learns a pair's log-odds from labelled streams."""

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from recognition.calibration.bound import CalibrationError
from recognition.calibration.logistic import fit_linear
from recognition.calibration.stream import Stream
from services.registry.calibration.affinity import PAIR, Affinity, steps
from services.registry.calibration.models import Linear

# LightGlue sees a pair and finds nothing: that may count against it, unlike less similarity.
SEEN = (PAIR.index("matched"),)

# Log-odds from which a pair speaks for one animal, and the share of right ones that may fall below
# the floor of distinctiveness.
SPEAKS, LOST = -0.5, 0.02

# Pairs of few animals are not independent: penalty per animal.
SHRUNK = 0.06

Sets = Mapping[str, Sequence[Stream]]
# Inputs [N, F] and labels [N] of some pairs.
Rows = tuple[NDArray[np.float64], NDArray[np.bool_]]


def fit_affinity(sets: Sets) -> Affinity:
    """Learn from sets of streams with equal weights, whatever their number of pictures.

    The second step is learned on what the first makes of a set by the other sets. It has no floor
    yet: see `least_distinctive`.

    Raises:
        CalibrationError: there is no pair of one individual, or none of two.
    """
    compared = {name: _compared(streams) for name, streams in sets.items()}
    pair = fit_rows(compared, SEEN)
    second = {}
    for name, streams in sets.items():
        others = {other: rows for other, rows in compared.items() if other != name}
        try:
            held_out = fit_rows(others, SEEN)
        except CalibrationError:  # the others alone are insufficient
            held_out = pair
        second[name] = [_stepped(stream, held_out) for stream in streams]
    return Affinity(pair=pair, against_lists=fit_rows(second))


def least_distinctive(sets: Iterable[Sequence[Stream]], affinity: Affinity) -> float:
    """Return the least distinctiveness of a pair that may speak for one animal; 0 without sets.

    All but `LOST` of the right pairs of a set that speak for one have it, the mean over the sets.
    It comes last: with it in training, the linkage would learn to rely on it.
    """
    least = []
    for streams in sets:
        found = [np.zeros(0)]
        for stream in streams:
            names = np.array(stream.identities)
            left, right, rows, distinctiveness = steps(stream.pairs, affinity.pair, stream.groups)
            speaks = affinity.against_lists.log_odds(rows) > SPEAKS
            found.append(distinctiveness[speaks & (names[left] == names[right])])
        values = np.concatenate(found)
        if len(values):
            least.append(float(np.quantile(values, LOST)))
    return float(np.mean(least)) if least else 0.0


def fit_rows(
    sets: Mapping[str, Sequence[Rows]],
    either_way: Collection[int] = (),
) -> Linear:
    """Fit rows of several sets, with the same weight for each of them."""
    every = [each for found in sets.values() for each in found]
    labels = np.concatenate([np.zeros(0, dtype=np.bool_), *(labels for _, labels in every)])
    if labels.all() or not labels.any():
        raise CalibrationError(
            f"learning a linkage needs pairs of one individual and of two; {labels.sum()} of "
            f"{len(labels)} pairs show the same"
        )
    rows = np.concatenate([rows for rows, _ in every])
    sizes = [sum(len(each) for each, _ in found) for found in sets.values()]
    weights = np.repeat([len(labels) / len(sets) / max(size, 1) for size in sizes], sizes)
    return fit_linear(rows, labels, weights, SHRUNK * len(rows), either_way)


def _compared(streams: Sequence[Stream]) -> list[Rows]:
    """Return the features of all pairs inside each stream, and which show one animal."""
    found = []
    for stream in streams:
        names, pairs = np.array(stream.identities), stream.pairs
        rows = pairs.rows(stream.groups)[pairs.inside]
        found.append((rows, names[pairs.left] == names[pairs.right]))
    return found


def _stepped(stream: Stream, pair: Linear) -> Rows:
    names = np.array(stream.identities)
    left, right, rows, _ = steps(stream.pairs, pair, stream.groups)
    return rows, names[left] == names[right]
